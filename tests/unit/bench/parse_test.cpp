#include "tuner/parse.hpp"

#include <doctest/doctest.h>

#include "tuner/model_spec.hpp"
#include "tuner/usage_error.hpp"

using namespace tuner;

namespace {

template <class F>
std::string refusal(const F& parse) {
  try {
    parse();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("durations are read with their unit") {
  CHECK(parse_duration("800ns", "x") == 800);
  CHECK(parse_duration("250us", "x") == 250'000);
  CHECK(parse_duration("1.5ms", "x") == 1'500'000);
  CHECK(parse_duration("2s", "x") == 2'000'000'000);
}

TEST_CASE("what is no duration is refused with its name") {
  for (const char* text : {"", "10", "ms", "-1ms", "0ms", "2h", "1e30s", "nanms", " 5ms", "5 ms"}) {
    CAPTURE(text);
    CHECK(refusal([&] { parse_duration(text, "--goal"); }).starts_with("--goal: "));
  }
}

TEST_CASE("numbers must be numbers and in range") {
  CHECK(parse_number("2.5", "x", 0, 10) == 2.5);
  CHECK(parse_whole("64", "x", 1, 100) == 64);
  CHECK(refusal([] { parse_number("11", "--rate", 0, 10); }) ==
        "--rate: \"11\" is no number from 0 to 10");
  CHECK(refusal([] { parse_number("inf", "--rate", 0, 10); }).starts_with("--rate: "));
  CHECK(refusal([] { parse_whole("6.5", "--repeats", 1, 9); }).starts_with("--repeats: "));
  CHECK(refusal([] { parse_whole("0x7", "--repeats", 1, 9); }).starts_with("--repeats: "));
}

TEST_CASE("durations are written for people") {
  CHECK(duration_text(850) == "850 ns");
  CHECK(duration_text(12'345) == "12.3 us");
  CHECK(duration_text(2.5e6) == "2.5 ms");
  CHECK(duration_text(3e9) == "3 s");
  CHECK(duration_text(0) == "0 ns");
}

TEST_CASE("an arrival file holds one time a line, with comments and empty lines") {
  CHECK(parse_arrival_file("# trace\n0.5\n\n0.75 # two\r\n0.75\n1\n") ==
        std::vector<Nanos>{500'000'000, 750'000'000, 750'000'000, 1'000'000'000});
}

TEST_CASE("a broken arrival file is refused with its line") {
  CHECK(refusal([] { parse_arrival_file("0.1\nsoon\n"); }).starts_with("arrival file, line 2: "));
  CHECK(refusal([] { parse_arrival_file("0.2\n0.1\n"); }) ==
        "arrival file, line 2: earlier than the line before; sort the file");
  CHECK(refusal([] { parse_arrival_file("1\n1\n"); }).starts_with("arrival file: needs two"));
  CHECK(refusal([] { parse_arrival_file(""); }).starts_with("arrival file: needs two"));
}

TEST_CASE("a tenant mix names weight and rate of each") {
  CHECK(parse_tenants("a:1:300,b:3:3000") ==
        std::vector<TenantLoad>{{"a", 1, 300}, {"b", 3, 3000}});
}

TEST_CASE("a broken tenant mix is refused") {
  for (const char* text : {"", "a", "a:1", ":1:2", "a:0:5", "a:1:0", "a:1:2:3", "a:1:2,"}) {
    CAPTURE(text);
    CHECK(refusal([&] { parse_tenants(text); }).starts_with("--tenants"));
  }
  CHECK(refusal([] { parse_tenants("a:1:2,a:1:2"); }) == "--tenants: two are named a");
}

TEST_CASE("models are named on the command line") {
  CHECK(parse_model("null") == ModelSpec{});
  CHECK(parse_model("sleep:2ms+50us") == ModelSpec{ModelKind::sleep, 2'000'000, 50'000, {}});
  CHECK(parse_model("spin:400us+40usn") == ModelSpec{ModelKind::spin, 400'000, 40'000, {}});
  CHECK(parse_model("spin:1ms") == ModelSpec{ModelKind::spin, 1'000'000, 0, {}});
  CHECK(parse_model("fashion") == ModelSpec{ModelKind::fashion, 0, 0, {}});
  CHECK(parse_model("torch:a:b.pt") == ModelSpec{ModelKind::torch, 0, 0, "a:b.pt"});
  CHECK(parse_model("spin:400us+40us").call(10) == 800'000);
}

TEST_CASE("an unknown model is refused with what there is") {
  for (const char* text : {"", "nil", "spin", "spin:", "torch:", "sleep:1ms+1ms+1ms", "null:x"}) {
    CAPTURE(text);
    CHECK(refusal([&] { parse_model(text); }).starts_with("--model: "));
  }
}
