#include <aiserve/core/context.hpp>
#include <aiserve/core/log.hpp>
#include <aiserve/testing/manual_clock.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

#include <doctest/doctest.h>

#include "core/json_guard.hpp"
#include "test_paths.hpp"

using aiserve::Context;
using aiserve::LogContext;
using aiserve::Logger;
using aiserve::LogLevel;
using aiserve::TraceParent;
using nlohmann::json;
using namespace std::chrono_literals;

namespace {

struct Captured {
  aiserve::testing::ManualClock clock{};
  std::vector<std::string> lines{};
  std::vector<LogLevel> levels{};

  aiserve::LoggerOptions options() {
    return {.sink =
                [this](LogLevel level, std::string_view line) {
                  levels.push_back(level);
                  lines.emplace_back(line);
                },
            .clock = &clock};
  }
  json last() const {
    REQUIRE_FALSE(lines.empty());
    const auto parsed = aiserve::detail::parse_json(lines.back());
    CAPTURE(lines.back());
    REQUIRE(parsed.ok());
    return *parsed;
  }
};

// Whether any reader could take this for more than one line, or be steered by it.
bool one_plain_line(std::string_view line) {
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  for (const std::string_view bad : {"\u2028", "\u2029", "\u0085", "\u202e", "\u2066"}) {
    if (line.find(bad) != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a line is one JSON object with time, level, message and fields of every kind") {
  Captured out;
  Logger log(out.options());
  out.clock.advance(123ms);
  const std::string name = "resnet";
  log.warn("queue full", {{"model", name},
                          {"depth", 12},
                          {"limit", std::size_t{1024}},
                          {"below", -3L},
                          {"load", 0.5},
                          {"draining", false},
                          {"why", "busy"}});
  CHECK(out.lines.at(0) ==
        R"({"time":"2026-01-01T00:00:00.123Z","level":"warn","msg":"queue full","model":"resnet",)"
        R"("depth":12,"limit":1024,"below":-3,"load":0.5,"draining":false,"why":"busy"})");
  CHECK(out.levels.at(0) == LogLevel::warn);
}

TEST_CASE("a line names service, request, tenant and trace where they are known") {
  Captured out;
  auto options = out.options();
  options.service = "classifier";
  Logger log(std::move(options));
  const auto trace = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const Context ctx({.request_id = "r-1",
                     .tenant = aiserve::Tenant({.id = aiserve::TenantId("acme")}),
                     .trace = *trace});
  log.info(ctx, "accepted", {{"n", 1}});
  const json line = out.last();
  CHECK(line["service"] == "classifier");
  CHECK(line["request_id"] == "r-1");
  CHECK(line["tenant"] == "acme");
  CHECK(line["trace_id"] == "0af7651916cd43dd8448eb211c80319c");
  CHECK(line["span_id"] == "b7ad6b7169203331");
  CHECK(line["n"] == 1);

  log.info("no context");
  CHECK_FALSE(out.last().contains("request_id"));
}

TEST_CASE("lines below the level are dropped, and the level changes while running") {
  Captured out;
  Logger log(out.options());
  log.debug("hidden");
  CHECK(out.lines.empty());
  CHECK_FALSE(log.enabled(LogLevel::debug));
  log.set_level(LogLevel::debug);
  log.debug("seen");
  CHECK(out.lines.size() == 1);
  log.set_level(LogLevel::off);
  log.error("hidden");
  CHECK(out.lines.size() == 1);
  log.log(LogLevel::off, {}, "no level to log at");
  CHECK(out.lines.size() == 1);
}

TEST_CASE("levels have names both ways") {
  for (const auto level : {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn,
                           LogLevel::error, LogLevel::off}) {
    CHECK(aiserve::parse_log_level(to_string(level)) == level);
  }
  CHECK_FALSE(aiserve::parse_log_level("INFO"));
  CHECK_FALSE(aiserve::parse_log_level(""));
}

TEST_CASE("no text can start a second line, end the object early or hide what follows") {
  using namespace std::string_literals;
  Captured out;
  Logger log(out.options());
  const std::vector<std::string> evil{"a\nb",
                                      "a\r\nb",
                                      "\"}\n{\"level\":\"error\"",
                                      "back\\slash",
                                      "nul\0byte"s,
                                      "\x1b[31mred",
                                      "line\u2028sep\u2029",
                                      "next\u0085line",
                                      "\u202egnp.exe",
                                      "del\x7f",
                                      "\u2066x",
                                      "tab\t"};
  for (const std::string& text : evil) {
    CAPTURE(text);
    log.info(text, {{"field", text}, {text, 1}});
    CHECK(one_plain_line(out.lines.back()));
    const json line = out.last();
    CHECK(line["msg"] == text);  // escaped, not lost
    CHECK(line["field"] == text);
    CHECK(line[text] == 1);
  }
}

TEST_CASE("invalid UTF-8 becomes the replacement character") {
  Captured out;
  Logger log(out.options());
  log.info("x", {{"a", "ok\xff!"}, {"b", "\xc0\xaf"}, {"c", "cut\xe2\x82"}, {"d", "\xed\xa0\x80"}});
  const json line = out.last();
  CHECK(line["a"] == "ok\uFFFD!");
  CHECK(line["b"] == "\uFFFD\uFFFD");
  CHECK(line["c"] == "cut\uFFFD\uFFFD");
  CHECK(line["d"] == "\uFFFD\uFFFD\uFFFD");
}

TEST_CASE("every naughty string stays on its line") {
  const auto path = vectors_folder() / "naughty-strings" / "blns.json";
  if (!std::filesystem::exists(path)) {
    MESSAGE("SKIPPED: no " << path.string());
    return;
  }
  Captured out;
  Logger log(out.options());
  const json strings = json::parse(read_whole(path));
  for (const json& entry : strings) {
    const auto text = entry.get<std::string>();
    log.info(text, {{"field", text}});
    CHECK(one_plain_line(out.lines.back()));
    CHECK(out.last()["field"] == text);
  }
  CHECK(strings.size() > 300);
}

TEST_CASE("a line is bounded, marked as cut, and keeps who it is about") {
  Captured out;
  Logger log(out.options());
  const std::string huge(1'000'000, 'x');
  const Context ctx({.request_id = "r-1"});
  log.info(ctx, huge, {{"a", huge}, {"b", huge}, {"last", 1}});
  CHECK(out.lines.back().size() <= 8192);
  const json line = out.last();
  CHECK(line["truncated"] == true);
  CHECK(line["request_id"] == "r-1");
  CHECK(line["msg"].get<std::string>().size() == 4096);

  log.info("short", {{"a", "b"}});
  CHECK_FALSE(out.last().contains("truncated"));
}

TEST_CASE("text is never cut inside a character or an escape, whatever its length") {
  Captured out;
  Logger log(out.options());
  for (std::size_t length = 4000; length < 4100; ++length) {
    for (const std::string tail : {"\u00e4", "\U0001F600", "\n", "\x01", "\xff"}) {
      log.info("x", {{"text", std::string(length, 'a') + tail + tail},
                     {"more", std::string(length, 'b') + tail},
                     {"rest", std::string(200, 'c') + tail}});
      CHECK(out.lines.back().size() <= 8192);
      out.last();
      out.lines.clear();
    }
  }
}

TEST_CASE("many fields overflow into a marked, valid line") {
  Captured out;
  Logger log(out.options());
  std::vector<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.push_back("key_" + std::to_string(i));
  for (std::size_t count = 380; count < 1000; ++count) {
    std::vector<aiserve::LogField> fields;
    for (std::size_t i = 0; i < count; ++i) fields.push_back({keys[i], i});
    log.log(LogLevel::info, LogContext(), "x", fields);
    CHECK(out.lines.back().size() <= 8192);
    const json line = out.last();
    const std::size_t own = line.contains("truncated") ? 4 : 3;
    CHECK(line.contains("truncated") == (line.size() - own < count));
    out.lines.clear();
  }
}

TEST_CASE("a field cannot pass for one of the logger's own") {
  Captured out;
  Logger log(out.options());
  log.info("real", {{"msg", "forged"}, {"level", "error"}, {"request_id", "x"}});
  const json line = out.last();
  CHECK(line["msg"] == "real");
  CHECK(line["level"] == "info");
  CHECK(line["msg_"] == "forged");
  CHECK(line["request_id_"] == "x");
}

TEST_CASE("numbers that JSON does not have become text") {
  Captured out;
  Logger log(out.options());
  const double infinity = std::numeric_limits<double>::infinity();
  log.info("x", {{"a", std::nan("")},
                 {"b", infinity},
                 {"c", -infinity},
                 {"d", 1e300},
                 {"e", std::numeric_limits<std::uint64_t>::max()},
                 {"f", std::numeric_limits<std::int64_t>::min()}});
  const json line = out.last();
  CHECK(line["a"] == "NaN");
  CHECK(line["b"] == "Infinity");
  CHECK(line["c"] == "-Infinity");
  CHECK(line["d"] == 1e300);
  CHECK(line["e"] == std::numeric_limits<std::uint64_t>::max());
  CHECK(line["f"] == std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("a null text is a text") {
  Captured out;
  Logger log(out.options());
  const char* missing = nullptr;
  log.info("x", {{"a", missing}});
  CHECK(out.last()["a"] == "null");
}

TEST_CASE("repeats are limited and counted, other messages are not held up") {
  Captured out;
  auto options = out.options();
  options.repeats = {.burst = 2, .interval = 10s};
  Logger log(std::move(options));
  for (int i = 0; i < 10; ++i) log.warn("full", {{"i", i}});
  CHECK(out.lines.size() == 2);
  log.warn("another");
  CHECK(out.lines.size() == 3);

  out.clock.advance(11s);
  log.warn("full");
  REQUIRE(out.lines.size() == 5);
  const auto told = aiserve::detail::parse_json(out.lines[3]);
  CHECK((*told)["msg"] == "full");
  CHECK((*told)["level"] == "warn");
  CHECK((*told)["suppressed"] == 8);
  CHECK_FALSE(out.last().contains("suppressed"));
}

TEST_CASE("what was suppressed is told by any later line, by flush and at the end") {
  Captured out;
  {
    auto options = out.options();
    options.repeats = {.burst = 1, .interval = 10s};
    Logger log(std::move(options));
    log.error("broken");
    log.error("broken");
    out.clock.advance(10s);
    log.info("a line about something else");
    REQUIRE(out.lines.size() == 3);
    CHECK(out.lines[1].find(R"("msg":"broken","suppressed":1)") != std::string::npos);

    log.error("broken");
    log.error("broken");
    log.flush();  // its interval is not over
    CHECK(out.lines.size() == 4);
    out.clock.advance(10s);
    log.flush();
    CHECK(out.last()["suppressed"] == 1);

    log.error("broken");
    log.error("broken");
    CHECK(out.lines.size() == 6);
  }
  CHECK(out.lines.size() == 7);
  CHECK(out.last()["suppressed"] == 1);
}

TEST_CASE("info lines are the host's own choice and are not limited") {
  Captured out;
  Logger log(out.options());
  for (int i = 0; i < 100; ++i) log.info("request");
  CHECK(out.lines.size() == 100);
}

TEST_CASE("a sink that throws does not take the caller with it") {
  int calls = 0;
  Logger log({.sink = [&calls](LogLevel, std::string_view) {
    ++calls;
    throw std::runtime_error("disk full");
  }});
  log.info("x");
  log.info("y");
  CHECK(calls == 2);
}

TEST_CASE("an interval that is no interval is a configuration error") {
  CHECK_THROWS_AS(Logger({.repeats = {.interval = 0ms}}), aiserve::ConfigError);
}
