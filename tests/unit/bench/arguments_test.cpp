#include "tuner/arguments.hpp"

#include <doctest/doctest.h>

#include "tuner/usage_error.hpp"

using namespace tuner;

namespace {

Arguments parse(std::string_view line) {
  const auto words = split(line, ' ');
  return parse_arguments(words);
}

std::string refusal(std::string_view line) {
  try {
    parse(line);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("run without more measures the default model with 64 in flight") {
  const Arguments all = parse("run");
  CHECK(all.command == Command::run);
  CHECK(all.model == ModelSpec{ModelKind::spin, 400'000, 40'000, {}});
  CHECK(all.closed == std::vector<int>{64});
  CHECK(all.settings() == std::vector<Setting>{{64, 1, 1}});
  CHECK(all.repeats == 5);
}

TEST_CASE("a sweep takes lists and a goal") {
  const Arguments all = parse(
      "sweep --model null --max-batch 1,8 --instances 1,2 --threads 1 --goal 10ms --seconds 1");
  CHECK(all.settings().size() == 4);
  CHECK(all.goal == 10'000'000);
  CHECK(all.seconds == 1'000'000'000);
  CHECK(all.repeats == 3);
}

TEST_CASE("an open load names its arrivals") {
  const Arguments all = parse("run --open bursty --burst 20ms:80ms --rate 100,200 --seed 7");
  CHECK(all.open == ArrivalKind::bursty);
  CHECK(all.on_seconds == doctest::Approx(0.02));
  CHECK(all.off_seconds == doctest::Approx(0.08));
  CHECK(all.rates == std::vector<double>{100, 200});
  CHECK(all.seed == 7);
  CHECK(all.closed.empty());
}

TEST_CASE("quick shortens what was not given") {
  const Arguments all = parse("run --quick --repeats 9");
  CHECK(all.repeats == 9);
  CHECK(all.seconds == 500'000'000);
}

TEST_CASE("a service is named by its URL and what is posted") {
  const Arguments all = parse("run --url http://localhost:8080/v1/fashion --body shoe.bin");
  REQUIRE(all.url);
  CHECK(*all.url == Url{"localhost", 8080, "/v1/fashion"});
}

TEST_CASE("compare takes two files and a threshold") {
  const Arguments all = parse("compare a.json b.json --threshold 10%");
  CHECK(all.files == std::vector<std::string>{"a.json", "b.json"});
  CHECK(all.threshold == doctest::Approx(0.1));
  CHECK(refusal("compare a.json").starts_with("compare takes two files"));
}

TEST_CASE("what makes no sense is refused with the reason") {
  CHECK(refusal("walk") == "\"walk\" is none of run, sweep, compare, --help");
  CHECK(refusal("run --fast") == "unknown argument: --fast");
  CHECK(refusal("run extra") == "unknown argument: extra");
  CHECK(refusal("run --rate") == "--rate needs a value");
  CHECK(refusal("run --rate 5") == "--rate needs --open poisson (or another)");
  CHECK(refusal("run --open poisson") == "--open needs --rate or --tenants");
  CHECK(refusal("run --open replay --rate 5") == "--open replay and --arrivals FILE go together");
  CHECK(refusal("run --arrivals f") == "--open replay and --arrivals FILE go together");
  CHECK(refusal("run --open poisson --closed 4 --rate 5") ==
        "--open and --closed are two loads: one");
  CHECK(refusal("run --tenants a:1:5") == "--tenants needs --open poisson");
  CHECK(refusal("run --open poisson --tenants a:1:5 --rate 5") ==
        "--tenants names the rate of each: no --rate");
  CHECK(refusal("run --max-batch 1,8").starts_with("run takes one --max-batch"));
  CHECK(refusal("run --max-batch 0").starts_with("--max-batch: "));
  CHECK(refusal("sweep --wait 3ms") == "--wait takes 0, 1ms, 2ms and 5ms, not 3ms");
  CHECK(refusal("sweep --closed 8").starts_with("sweep chooses the loads itself"));
  CHECK(refusal("run --url http://h/ --body b --model null").starts_with("--model does not go"));
  CHECK(refusal("run --body b").starts_with("--body does not go with"));
  CHECK(refusal("run --url http://h/") == "--url needs --body FILE, what is posted");
  CHECK(refusal("sweep --url http://h/ --body b").starts_with("sweep changes settings"));
  CHECK(refusal("run --url http://h/ --body b --open poisson --tenants a:1:5") ==
        "--tenants with --url needs --tenant-header NAME");
  CHECK(refusal("run --burst 5ms") == "--burst: write ON:OFF, like 100ms:400ms");
}

TEST_CASE("every flag of the help text is known, and every known flag is in it") {
  const std::string help(help_text());
  for (const char* flag :
       {"--model",       "--row-bytes",     "--url",       "--body",      "--content-type",
        "--connections", "--tenant-header", "--max-batch", "--instances", "--threads",
        "--wait",        "--max-queue",     "--closed",    "--open",      "--rate",
        "--burst",       "--arrivals",      "--tenants",   "--deadline",  "--goal",
        "--seconds",     "--warm-up",       "--repeats",   "--seed",      "--json",
        "--html",        "--threshold"}) {
    CAPTURE(flag);
    CHECK(help.find(flag) != std::string::npos);
    CHECK(refusal(std::string("run ") + flag) == std::string(flag) + " needs a value");
  }
}
