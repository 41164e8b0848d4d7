#include "config.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "command_line.hpp"
#include "values.hpp"

namespace {

using namespace std::chrono_literals;
using aiserve::ConfigError;
using service::Config;
using service::load_config;

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = path_ / name;
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

/// The one line that load_config() refuses with.
std::string refusal(const service::Sources& sources) {
  try {
    load_config(sources);
  } catch (const ConfigError& error) {
    const std::string line = error.what();
    CHECK(line.find('\n') == std::string::npos);
    return line;
  }
  return "(accepted)";
}

std::string refusal_of_file(const std::string& text) {
  const Folder folder;
  const std::string file = folder.write("service.json", text);
  std::string line = refusal({{"--model", "m.pt", "--config", file}});
  if (const auto at = line.find(file); at != std::string::npos)
    line.replace(at, file.size(), "FILE");
  return line;
}

}  // namespace

TEST_CASE(
    "an option is taken from the flag, else the environment, else the file, else its default") {
  const Folder folder;
  const std::string file = folder.write(
      "service.json", R"({"max_batch": 8, "max_queue": 8, "port": 8, "drain_timeout": "8s"})");
  const Config config = load_config(
      {{"--config", file, "--max-batch=10", "--model", "m.pt"},
       {"PATH=/bin", "AISERVE_SERVICE_MAX_BATCH=9", "AISERVE_SERVICE_MAX_QUEUE=9", "AISERVE_X=1"}});
  CHECK(config.max_batch == 10);
  CHECK(config.max_queue == 9);
  CHECK(config.port == 8);
  CHECK(config.drain_timeout == 8s);
  CHECK(config.io_threads == Config{}.io_threads);
}

TEST_CASE("the file can be named in the environment, and a flag names another") {
  const Folder folder;
  const std::string a = folder.write("a.json", R"({"model": "a.pt"})");
  const std::string b = folder.write("b.json", R"({"model": "b.pt"})");
  CHECK(load_config({{}, {"AISERVE_SERVICE_CONFIG=" + a}}).model == "a.pt");
  CHECK(load_config({{"--config", b}, {"AISERVE_SERVICE_CONFIG=" + a}}).model == "b.pt");
}

TEST_CASE("the signature lies beside the model unless it is named") {
  CHECK(load_config({{"--model", "dir/fashion.pt"}}).signature == "dir/fashion.json");
  CHECK(load_config({{"--model", "m.pt", "--signature", "s.json"}}).signature == "s.json");
}

TEST_CASE("an unknown name is refused with the nearest known one, wherever it stands") {
  CHECK(refusal({{"--max-bach", "3"}}) ==
        "unknown argument '--max-bach'; the nearest is --max-batch");
  CHECK(refusal({{"--max_batch", "3"}}) ==
        "unknown argument '--max_batch'; the nearest is --max-batch");
  CHECK(refusal({{"fashion.pt"}}).starts_with("unknown argument 'fashion.pt'"));
  CHECK(refusal({{}, {"AISERVE_SERVICE_PROT=1"}}) ==
        "unknown environment variable 'AISERVE_SERVICE_PROT'; the nearest is AISERVE_SERVICE_PORT");
  CHECK(refusal_of_file(R"({"instnces": 2})") ==
        "unknown option in 'FILE' 'instnces'; the nearest is instances");
}

TEST_CASE("a value is refused with the option as it was spelled, its range and the value") {
  CHECK(refusal({{"--port", "65536"}}) == "--port must be a number from 0 to 65535, not '65536'");
  CHECK(refusal({{"--port", "80x"}}) == "--port must be a number from 0 to 65535, not '80x'");
  CHECK(refusal({{"--port"}}) == "--port needs a value");
  CHECK(refusal({{"--port="}}) == "--port must be a number from 0 to 65535, not ''");
  CHECK(refusal({{"--drain-timeout", "10"}}) ==
        "--drain-timeout must be a duration from 0ms to 1h, not '10'");
  CHECK(refusal({{"--request-deadline", "0ms"}}) ==
        "--request-deadline must be a duration from 1ms to 1h, not '0ms'");
  CHECK(
      refusal({{}, {"AISERVE_SERVICE_LOG_LEVEL=loud"}}) ==
      "AISERVE_SERVICE_LOG_LEVEL must be one of trace, debug, info, warn, error, off, not 'loud'");
  CHECK(refusal({{"--port", "1\n2"}}) == "--port must be a number from 0 to 65535, not '1?2'");
}

TEST_CASE("the file must be one flat JSON object of numbers and strings") {
  CHECK(refusal_of_file(R"({"port": "80"})") == "port in 'FILE' must be a number, not \"80\"");
  CHECK(refusal_of_file(R"({"port": 80.5})") ==
        "port in 'FILE' must be a number from 0 to 65535, not '80.5'");
  CHECK(refusal_of_file(R"({"data": 80})") == "data in 'FILE' must be a string, not 80");
  CHECK(refusal_of_file(R"({"port": null})") == "'port' in 'FILE' must be a number or a string");
  CHECK(refusal_of_file(R"({"port": {"a": [1]}})") == "'FILE' must be a flat object");
  CHECK(refusal_of_file(R"([1])") == "'FILE' must hold one JSON object");
  CHECK(refusal_of_file(R"({"port": 1,)") == "'FILE' is not JSON, at byte 12");
  CHECK(refusal_of_file(R"({"port": 1, "port": 2})") == "'FILE' names 'port' twice");
  CHECK(refusal_of_file(std::string("{}\0{}", 5)) == "'FILE' holds a NUL byte");
  CHECK(refusal_of_file(std::string(2 << 20, ' ')) == "'FILE' is longer than 1 MiB");
  CHECK(refusal({{"--config", "no/such.json"}}) == "'no/such.json' cannot be read");
  CHECK(refusal({{"--config", "/"}}) == "'/' is a folder");
}

TEST_CASE("options are checked against each other") {
  CHECK(refusal({}) == "--model is missing: the file of the trained model");
  CHECK(refusal({{"--model", "m.pt", "--admin-port", "8080"}}) ==
        "--port and --admin-port must differ, both are 8080");
  CHECK(refusal({{"--model", "m.pt", "--admin-address", "0.0.0.0"}}) ==
        "--admin-address '0.0.0.0' is not loopback: --admin-token-file must name a secret to ask "
        "for");
}

TEST_CASE("a secret comes from its file and is never told") {
  const Folder folder;
  const std::string good = folder.write("token", "0123456789-secret\n");
  const Config config =
      load_config({{"--model", "m.pt", "--admin-address", "0.0.0.0", "--admin-token-file", good}});
  CHECK(config.admin_token == "0123456789-secret");
  CHECK(service::to_json(config).find("secret\"") == std::string::npos);
  CHECK(service::to_json(config).find("0123456789") == std::string::npos);
  CHECK(service::to_json(config).find(good) != std::string::npos);

  const std::string bad = folder.write("short", "hunter2\n");
  const std::string line = refusal({{"--model", "m.pt", "--admin-token-file", bad}});
  CHECK(line.find("must be one line of 16 to 1024 printable ASCII characters") !=
        std::string::npos);
  CHECK(line.find("hunter2") == std::string::npos);
}

TEST_CASE("what --print-config prints is a file that --config takes") {
  const Folder folder;
  const Config config = load_config(
      {{"--model", "m.pt", "--drain-timeout", "90s", "--log-level", "warn", "--port", "0"}});
  const std::string file = folder.write("printed.json", service::to_json(config));
  const Config again = load_config({{"--config", file}});
  CHECK(service::to_json(again) == service::to_json(config));
  CHECK(again.drain_timeout == 90s);
  CHECK(again.log_level == aiserve::LogLevel::warn);
}

TEST_CASE("every option has a name, a default and a range in the help text") {
  const std::string help = service::help_text();
  const Config defaults;
  for (const service::Option& option : service::options()) {
    CAPTURE(option.name);
    CHECK(help.find("\n  " + service::flag_of(option)) != std::string::npos);
    CHECK(help.find(service::range_of(option)) != std::string::npos);
    CHECK(help.find("default: " + service::value_of(defaults, option)) != std::string::npos);
  }
}

TEST_CASE("--help, --version, --print-config and --check-config answer and leave") {
  const auto answer = [](std::initializer_list<const char*> list) {
    std::vector<const char*> argv(list);
    argv.insert(argv.begin(), "aiserve_service");
    const char* const none[] = {nullptr};
    return service::parse_command(static_cast<int>(argv.size()), argv.data(), none).answer;
  };
  CHECK(answer({"--port", "99999", "--help"}) == service::help_text());
  CHECK(answer({"--version"})->starts_with("aiserve_service "));
  CHECK(answer({"--model", "m.pt", "--print-config"})->find(R"("model": "m.pt")") !=
        std::string::npos);
  CHECK_FALSE(answer({"--model", "m.pt"}).has_value());
  CHECK_THROWS_WITH_AS(answer({"--model", "no/such.pt", "--check-config"}),
                       "'no/such.pt' does not exist", ConfigError);

  const Folder folder;
  const std::string model = folder.write("m.pt", "x");
  folder.write("m.json", "{}");
  CHECK(answer({"--model", model.c_str(), "--data", "/", "--check-config"}) ==
        "the configuration is good\n");
}

TEST_CASE("durations have a unit and are printed in the largest that fits") {
  CHECK(service::parse_duration("1500ms") == 1500ms);
  CHECK(service::parse_duration("2min") == 2min);
  CHECK(service::parse_duration("1h") == 1h);
  CHECK_FALSE(service::parse_duration("s").has_value());
  CHECK_FALSE(service::parse_duration("-1s").has_value());
  CHECK_FALSE(service::parse_duration("1 s").has_value());
  CHECK_FALSE(service::parse_duration("9223372036854775807h").has_value());
  CHECK(service::format_duration(1500ms) == "1500ms");
  CHECK(service::format_duration(120s) == "2min");
  CHECK(service::format_duration(0ms) == "0ms");
}
