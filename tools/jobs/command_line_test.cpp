#include "command_line.hpp"

#include <sstream>

#include <doctest/doctest.h>

using namespace aiserve;
using namespace std::chrono_literals;
using jobs_tool::CommandLine;
using jobs_tool::parse;

namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

CommandLine parsed(const std::string& text) {
  const std::vector<std::string> given = words(text);
  Result<CommandLine> line = parse(given);
  REQUIRE_MESSAGE(line.ok(), text);
  return std::move(*line);
}

std::string refused(const std::string& text) {
  const std::vector<std::string> given = words(text);
  const Result<CommandLine> line = parse(given);
  REQUIRE_MESSAGE(!line.ok(), text);
  CHECK(line.error().code() == Errc::invalid_argument);
  return line.error().message();
}

}  // namespace

TEST_CASE("commands of aiserve-jobs are read with their options in any order") {
  const CommandLine list =
      parsed("list --tenant acme --store sqlite:jobs.db --state discarded --limit 7 --before 12");
  CHECK(list.command == "list");
  CHECK(list.store == "sqlite:jobs.db");
  CHECK(list.tenant == TenantId("acme"));
  CHECK(list.page.state == JobState::discarded);
  CHECK(list.page.limit == 7);
  CHECK(list.page.before == JobId(12));
  const CommandLine cancel = parsed("--store s --tenant t cancel 1 2 3");
  CHECK(cancel.ids == std::vector<JobId>{JobId(1), JobId(2), JobId(3)});
  CHECK(parsed("--store s prune --older-than 7d").older_than == 168h);
  CHECK(parsed("--store s prune --older-than 90s").older_than == 90s);
  CHECK(parsed("--store s migrate --dry-run").dry_run);
  CHECK(parsed("--store s pause --all").all);
  CHECK(parsed("--store s resume --kind classify@2").kind == "classify@2");
  CHECK(parsed("--store s backup copy.db").file == "copy.db");
  CHECK(parsed("--store s stats --timeout 5s --as mia").timeout == 5s);
}

TEST_CASE("what is missing, unknown, doubled or out of range is named") {
  CHECK(refused("").find("a command is missing") != std::string::npos);
  CHECK(refused("--store s").find("a command is missing") != std::string::npos);
  CHECK(refused("--store s drop").find("no command 'drop'") != std::string::npos);
  CHECK(refused("stats").find("--store is missing") != std::string::npos);
  CHECK(refused("stats --store").find("--store needs a value") != std::string::npos);
  CHECK(refused("stats --store s --tenant t").find("does not take --tenant") != std::string::npos);
  CHECK(refused("stats --store s --store s").find("given twice") != std::string::npos);
  CHECK(refused("stats --store s extra").find("does not take 'extra'") != std::string::npos);
  CHECK(refused("list --store s").find("needs --tenant") != std::string::npos);
  CHECK(refused("list --store s --tenant t --state dead").find("--state") != std::string::npos);
  CHECK(refused("list --store s --tenant t --limit 0").find("--limit") != std::string::npos);
  CHECK(refused("list --store s --tenant t --limit 1001").find("--limit") != std::string::npos);
  CHECK(refused("list --store s --tenant t --limit 7x").find("--limit") != std::string::npos);
  CHECK(refused("show --store s --tenant t").find("needs ids") != std::string::npos);
  CHECK(refused("show --store s --tenant t 0").find("a job's id") != std::string::npos);
  CHECK(refused("show --store s --tenant t 1e3").find("a job's id") != std::string::npos);
  CHECK(refused("cancel --store s --tenant t -1").find("-1") != std::string::npos);
  CHECK(refused("redrive --store s --tenant t").find("ids or --kind") != std::string::npos);
  CHECK(refused("redrive --store s --tenant t --kind k 1").find("not both") != std::string::npos);
  CHECK(refused("pause --store s").find("--kind or --all") != std::string::npos);
  CHECK(refused("pause --store s --kind k --all").find("--kind or --all") != std::string::npos);
  CHECK(refused("prune --store s").find("needs --older-than") != std::string::npos);
  CHECK(refused("prune --store s --older-than 7").find("--older-than") != std::string::npos);
  CHECK(refused("prune --store s --older-than d").find("--older-than") != std::string::npos);
  CHECK(refused("prune --store s --older-than -7d").find("--older-than") != std::string::npos);
  CHECK(refused("prune --store s --older-than 99999999999d").find("--older-than") !=
        std::string::npos);
  CHECK(refused("backup --store s").find("needs a file") != std::string::npos);
  CHECK(refused("backup --store s a b").find("does not take 'b'") != std::string::npos);
}

TEST_CASE("the usage names every command") {
  for (const char* command : {"stats", "list", "show", "cancel", "redrive", "pause", "resume",
                              "prune", "migrate", "backup", "verify"}) {
    CHECK(jobs_tool::usage().find(std::string("\n  ") + command + ' ') != std::string::npos);
  }
}
