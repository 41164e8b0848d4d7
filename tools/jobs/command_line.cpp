#include "command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "decide/job_state.hpp"

namespace aiserve::jobs_tool {
namespace {

enum class Rest : std::uint8_t { none, ids, file };

/// What a command takes, and what it cannot do without.
struct Command {
  std::string_view name;
  std::string_view options;   // with a space around each
  std::string_view required;  // of those
  Rest rest;
  std::string_view help;
};

constexpr int kMostListed = 1000;  // JobPage::limit
constexpr std::string_view kCommon = " --store --as --audit-key-file --timeout ";

constexpr std::array<Command, 11> kCommands{{
    {"stats", "", "", Rest::none, "depth, age and pauses per kind; finished, dead, workers"},
    {"list", " --tenant --state --limit --before ", "--tenant", Rest::none,
     "--tenant T [--state S] [--limit N] [--before ID]   latest first"},
    {"show", " --tenant ", "--tenant", Rest::ids, "--tenant T ID..."},
    {"cancel", " --tenant ", "--tenant", Rest::ids,
     "--tenant T ID...   waiting jobs at once, running ones are asked to end"},
    {"redrive", " --tenant --kind --limit ", "--tenant", Rest::ids,
     "--tenant T (ID... | --kind K [--limit N])   dead and cancelled jobs run again"},
    {"pause", " --kind --all ", "", Rest::none,
     "--kind K | --all   for all processes, until resume"},
    {"resume", " --kind --all ", "", Rest::none, "--kind K | --all"},
    {"prune", " --older-than --limit ", "--older-than", Rest::none,
     "--older-than 7d [--limit N]   deletes finished jobs"},
    {"migrate", " --dry-run ", "", Rest::none, "[--dry-run]   brings the schema up to date"},
    {"backup", "", "", Rest::file, "FILE   of SQLite, while the service runs"},
    {"verify", " --full ", "", Rest::none,
     "[--full]   the store's integrity and this tool's audit chain"},
}};

Error wrong(std::string what) { return {Errc::invalid_argument, std::move(what)}; }

const Command* find_command(std::string_view name) {
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const Command& one) { return one.name == name; });
  return found == kCommands.end() ? nullptr : &*found;
}

bool has(std::string_view options, std::string_view option) {
  return options.find(' ' + std::string(option) + ' ') != std::string_view::npos;
}

template <class T>
Result<T> number(std::string_view option, std::string_view text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least && value <= most) {
    return value;
  }
  return wrong(std::string(option) + " must be a number from " + std::to_string(least) + " to " +
               std::to_string(most) + ", not '" + std::string(text) + "'");
}

Result<JobId> job_id(std::string_view text) {
  const auto value = number<std::int64_t>("a job's id", text, 1, INT64_MAX);
  if (!value) return value.error();
  return JobId(*value);
}

/// "90s", "30m", "12h", "7d".
Result<std::chrono::milliseconds> length(std::string_view option, std::string_view text) {
  constexpr std::array<std::pair<char, std::int64_t>, 4> kUnits{
      {{'s', 1}, {'m', 60}, {'h', 3'600}, {'d', 86'400}}};
  for (const auto& [unit, seconds] : kUnits) {
    if (text.empty() || text.back() != unit) continue;
    const auto count =
        number<std::int64_t>(option, text.substr(0, text.size() - 1), 1, 1'000'000'000 / seconds);
    if (!count) return count.error();
    return std::chrono::seconds(*count * seconds);
  }
  return wrong(std::string(option) + " must be like 90s, 30m, 12h or 7d, not '" +
               std::string(text) + "'");
}

/// Moves a good value to where it belongs.
template <class T, class U>
Result<void> keep(Result<T> value, U& to) {
  if (!value) return value.error();
  to = std::move(*value);
  return success();
}

Result<void> set_state(std::string_view text, CommandLine& line) {
  const auto state = decide::job_state_of(text);
  if (!state) return wrong("--state: there is no state '" + std::string(text) + "'");
  line.page.state = static_cast<JobState>(*state);
  return success();
}

bool is_flag(std::string_view option) {
  return option == "--all" || option == "--dry-run" || option == "--full";
}

Result<void> set_flag(std::string_view option, CommandLine& line) {
  (option == "--all" ? line.all : option == "--full" ? line.full : line.dry_run) = true;
  return success();
}

std::string* text_of(std::string_view option, CommandLine& line) {
  if (option == "--store") return &line.store;
  if (option == "--as") return &line.actor;
  if (option == "--audit-key-file") return &line.audit_key_file;
  return option == "--kind" ? &line.kind : nullptr;
}

Result<void> set(std::string_view option, std::string_view value, CommandLine& line) {
  if (value.empty()) return wrong(std::string(option) + " must not be empty");
  if (std::string* text = text_of(option, line)) {
    *text = value;
    return success();
  }
  if (option == "--timeout") return keep(length(option, value), line.timeout);
  if (option == "--older-than") return keep(length(option, value), line.older_than);
  if (option == "--tenant") return keep(TenantId::parse(value), line.tenant);
  if (option == "--before") return keep(job_id(value), line.page.before);
  if (option == "--limit") return keep(number(option, value, 1, 100'000), line.limit);
  return set_state(value, line);
}

Result<void> take_rest(const Command& command, const std::string& word, CommandLine& line) {
  if (command.rest == Rest::ids) {
    const Result<JobId> id = job_id(word);
    if (!id) return id.error();
    line.ids.push_back(*id);
    return success();
  }
  if (command.rest == Rest::file && line.file.empty()) {
    line.file = word;
    return success();
  }
  return wrong(std::string(command.name) + " does not take '" + word + "'");
}

Result<void> check_whole(const Command& command, const CommandLine& line,
                         const std::set<std::string>& given) {
  const std::string name(command.name);
  if (line.store.empty()) return wrong("--store is missing: sqlite:FILE or postgresql://...");
  if (!command.required.empty() && given.count(std::string(command.required)) == 0) {
    return wrong(name + " needs " + std::string(command.required));
  }
  const bool by_kind = name == "redrive" && !line.kind.empty();
  if (command.rest == Rest::ids && line.ids.empty() != by_kind) {
    return wrong(name + (name == "redrive" ? " needs ids or --kind, not both" : " needs ids"));
  }
  if (command.rest == Rest::file && line.file.empty()) return wrong(name + " needs a file");
  if ((name == "pause" || name == "resume") && line.kind.empty() != line.all) {
    return wrong(name + " needs --kind or --all");
  }
  if (name == "list" && line.limit > kMostListed) return wrong("list takes a --limit of 1 to 1000");
  return success();
}

/// The words of a command line, sorted.
struct Words {
  const Command* command = nullptr;
  std::vector<std::pair<std::string, std::string>> options{};
  std::vector<std::string> rest{};
};

Result<Words> sort(std::span<const std::string> arguments) {
  Words words;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (is_flag(word)) {
      words.options.emplace_back(word, "");
    } else if (word.rfind("--", 0) == 0) {
      if (i + 1 == arguments.size()) return wrong(word + " needs a value");
      words.options.emplace_back(word, arguments[++i]);
    } else if (words.command != nullptr) {
      words.rest.push_back(word);
    } else {
      words.command = find_command(word);
      if (words.command == nullptr) return wrong("there is no command '" + word + "'");
    }
  }
  if (words.command == nullptr) return wrong("a command is missing");
  return words;
}

Result<void> take_options(const Words& words, CommandLine& line, std::set<std::string>& given) {
  for (const auto& [option, value] : words.options) {
    if (!has(kCommon, option) && !has(words.command->options, option)) {
      return wrong(line.command + " does not take " + option);
    }
    if (!given.insert(option).second) return wrong(option + " is given twice");
    const Result<void> good = is_flag(option) ? set_flag(option, line) : set(option, value, line);
    if (!good) return good.error();
  }
  return success();
}

}  // namespace

Result<CommandLine> parse(std::span<const std::string> arguments) {
  const Result<Words> words = sort(arguments);
  if (!words) return words.error();
  CommandLine line;
  line.command = words->command->name;
  std::set<std::string> given;
  if (const auto good = take_options(*words, line, given); !good) return good.error();
  for (const std::string& word : words->rest) {
    if (const auto good = take_rest(*words->command, word, line); !good) return good.error();
  }
  if (const auto good = check_whole(*words->command, line, given); !good) return good.error();
  line.page.limit = std::min(line.limit, kMostListed);
  return line;
}

std::string usage() {
  std::string text =
      "usage: aiserve-jobs --store DSN [--as NAME] [--audit-key-file FILE] [--timeout 30s] "
      "COMMAND\n"
      "\n"
      "  DSN is sqlite:FILE or postgresql://...; answers are JSON, one object per line.\n\n";
  for (const Command& one : kCommands) {
    text += "  " + std::string(one.name) + std::string(9 - one.name.size(), ' ') +
            std::string(one.help) + '\n';
  }
  return text;
}

}  // namespace aiserve::jobs_tool
