#include "tuner/arguments.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

using Read = void (*)(Arguments&, std::string_view);

struct Flag {
  std::string_view name;
  Read read;
};

template <class T>
std::vector<T> whole_list(std::string_view text, std::string_view flag, std::int64_t high) {
  std::vector<T> values;
  for (const std::string_view part : split(text, ',')) {
    values.push_back(static_cast<T>(parse_whole(part, flag, 1, high)));
  }
  return values;
}

std::size_t size(std::string_view text, std::string_view flag, std::int64_t high) {
  return static_cast<std::size_t>(parse_whole(text, flag, 1, high));
}

ArrivalKind arrival_kind(std::string_view text) {
  if (text == "poisson") return ArrivalKind::poisson;
  if (text == "uniform") return ArrivalKind::uniform;
  if (text == "bursty") return ArrivalKind::bursty;
  if (text == "replay") return ArrivalKind::replay;
  throw UsageError(fmt::format("--open: \"{}\" is none of poisson, uniform, bursty, replay", text));
}

void read_rates(Arguments& to, std::string_view text) {
  for (const std::string_view part : split(text, ',')) {
    to.rates.push_back(parse_number(part, "--rate", 1e-3, 1e7));
  }
}

void read_burst(Arguments& to, std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2) throw UsageError("--burst: write ON:OFF, like 100ms:400ms");
  to.on_seconds = static_cast<double>(parse_duration(parts[0], "--burst, on")) * 1e-9;
  to.off_seconds = static_cast<double>(parse_duration(parts[1], "--burst, off")) * 1e-9;
}

void read_model(Arguments& to, std::string_view text) {
  to.model_text = text;
  to.model = parse_model(text);
}

// A plain number counts seconds.
Nanos read_seconds(std::string_view text) {
  return parse_duration(text.ends_with('s') ? std::string(text) : std::string(text) + "s",
                        "--seconds");
}

double read_percent(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  return parse_number(text, "--threshold, percent", 0, 1000) / 100;
}

// The windows that the rivals have, and 0: the Batcher's own rule.
constexpr std::array<Nanos, 4> kWindows{0, 1'000'000, 2'000'000, 5'000'000};

void read_waits(Arguments& to, std::string_view text) {
  to.waits.clear();
  for (const std::string_view word : split(text, ',')) {
    const Nanos wait = word == "0" ? 0 : parse_duration(word, "--wait");
    if (std::find(kWindows.begin(), kWindows.end(), wait) == kWindows.end()) {
      throw UsageError(fmt::format("--wait takes 0, 1ms, 2ms and 5ms, not {}", word));
    }
    to.waits.push_back(wait);
  }
}

constexpr std::array<Flag, 27> kFlags{{
    {"--model", read_model},
    {"--row-bytes", [](auto& to, auto text) { to.row_bytes = size(text, "--row-bytes", 1 << 24); }},
    {"--url", [](auto& to, auto text) { to.url = parse_url(text); }},
    {"--body", [](auto& to, auto text) { to.body_file = text; }},
    {"--content-type", [](auto& to, auto text) { to.content_type = text; }},
    {"--tenant-header", [](auto& to, auto text) { to.tenant_header = text; }},
    {"--connections",
     [](auto& to, auto text) { to.connections = size(text, "--connections", 10'000); }},
    {"--max-batch",
     [](auto& to, auto text) {
       to.max_batches = whole_list<std::size_t>(text, "--max-batch", 65'536);
     }},
    {"--instances",
     [](auto& to, auto text) { to.instances = whole_list<int>(text, "--instances", 256); }},
    {"--threads",
     [](auto& to, auto text) { to.threads = whole_list<int>(text, "--threads", 256); }},
    {"--wait", read_waits},
    {"--max-queue", [](auto& to, auto text) { to.max_queue = size(text, "--max-queue", 1 << 24); }},
    {"--closed",
     [](auto& to, auto text) { to.closed = whole_list<int>(text, "--closed", 65'536); }},
    {"--open", [](auto& to, auto text) { to.open = arrival_kind(text); }},
    {"--rate", read_rates},
    {"--arrivals", [](auto& to, auto text) { to.arrivals_file = text; }},
    {"--burst", read_burst},
    {"--tenants", [](auto& to, auto text) { to.tenants = parse_tenants(text); }},
    {"--deadline", [](auto& to, auto text) { to.deadline = parse_duration(text, "--deadline"); }},
    {"--goal", [](auto& to, auto text) { to.goal = parse_duration(text, "--goal"); }},
    {"--seconds", [](auto& to, auto text) { to.seconds = read_seconds(text); }},
    {"--warm-up", [](auto& to, auto text) { to.warm_up = parse_duration(text, "--warm-up"); }},
    {"--repeats",
     [](auto& to, auto text) {
       to.repeats = static_cast<int>(parse_whole(text, "--repeats", 1, 1000));
     }},
    {"--seed",
     [](auto& to, auto text) {
       to.seed = static_cast<std::uint64_t>(parse_whole(text, "--seed", 0, INT64_MAX));
     }},
    {"--json", [](auto& to, auto text) { to.json = text; }},
    {"--html", [](auto& to, auto text) { to.html = text; }},
    {"--threshold", [](auto& to, auto text) { to.threshold = read_percent(text); }},
}};

Command command_of(std::string_view word) {
  if (word == "run") return Command::run;
  if (word == "sweep") return Command::sweep;
  if (word == "compare") return Command::compare;
  if (word == "help" || word == "--help" || word == "-h") return Command::help;
  throw UsageError(fmt::format("\"{}\" is none of run, sweep, compare, --help", word));
}

void read_flags(Arguments& to, std::span<const std::string_view> words,
                std::vector<std::string_view>& given) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--quiet" || word == "--quick") {
      (word == "--quiet" ? to.quiet : to.quick) = true;
      continue;
    }
    if (!word.starts_with("--")) {
      to.files.emplace_back(word);
      continue;
    }
    const auto flag = std::find_if(kFlags.begin(), kFlags.end(),
                                   [&](const Flag& each) { return each.name == word; });
    if (flag == kFlags.end()) throw UsageError(fmt::format("unknown argument: {}", word));
    if (++i == words.size()) throw UsageError(fmt::format("{} needs a value", word));
    flag->read(to, words[i]);
    given.push_back(word);
  }
}

void refuse_with(const std::vector<std::string_view>& given, std::string_view what,
                 std::span<const std::string_view> names) {
  for (const std::string_view name : given) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw UsageError(fmt::format("{} does not go with {}", name, what));
    }
  }
}

void check_url(const Arguments& all, const std::vector<std::string_view>& given) {
  constexpr std::array<std::string_view, 8> kInProcess{"--model",     "--row-bytes", "--max-batch",
                                                       "--instances", "--threads",   "--wait",
                                                       "--max-queue", "--deadline"};
  constexpr std::array<std::string_view, 4> kRemote{"--body", "--content-type", "--connections",
                                                    "--tenant-header"};
  if (!all.url) return refuse_with(given, "a model in this process: it needs --url", kRemote);
  refuse_with(given, "--url: the service has its own", kInProcess);
  if (all.command == Command::sweep) {
    throw UsageError(
        "sweep changes settings of a model in this process; against a --url use "
        "run --open poisson --rate A,B,C");
  }
  if (all.body_file.empty()) throw UsageError("--url needs --body FILE, what is posted");
  if (!all.tenants.empty() && all.tenant_header.empty()) {
    throw UsageError("--tenants with --url needs --tenant-header NAME");
  }
}

void check_load(const Arguments& all) {
  const bool replay = all.open == ArrivalKind::replay;
  if (!all.open && !all.rates.empty()) throw UsageError("--rate needs --open poisson (or another)");
  if (!all.open && !all.tenants.empty()) throw UsageError("--tenants needs --open poisson");
  if (all.open && !all.closed.empty()) throw UsageError("--open and --closed are two loads: one");
  if (replay == all.arrivals_file.empty()) {
    throw UsageError("--open replay and --arrivals FILE go together");
  }
  if (!all.rates.empty() && !all.tenants.empty()) {
    throw UsageError("--tenants names the rate of each: no --rate");
  }
  if (all.command == Command::run && all.open && !replay && all.rates.empty() &&
      all.tenants.empty()) {
    throw UsageError("--open needs --rate or --tenants");
  }
}

void check_run(const Arguments& all) {
  if (all.settings().size() != 1) {
    throw UsageError(
        "run takes one --max-batch, --instances, --threads and --wait; sweep takes lists");
  }
}

void check_sweep(const Arguments& all) {
  if (!all.closed.empty() || !all.rates.empty() || !all.tenants.empty()) {
    throw UsageError("sweep chooses the loads itself: no --closed, --rate or --tenants");
  }
}

void fill_in(Arguments& all, const std::vector<std::string_view>& given) {
  const auto was_given = [&](std::string_view flag) {
    return std::find(given.begin(), given.end(), flag) != given.end();
  };
  if (all.max_batches.empty()) {
    all.max_batches = all.command == Command::sweep
                          ? std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64}
                          : std::vector<std::size_t>{64};
  }
  if (!all.url && !was_given("--model")) read_model(all, all.model_text);
  if (all.command == Command::run && !all.open && all.closed.empty()) all.closed = {64};
  if (all.command == Command::sweep && !was_given("--repeats")) all.repeats = 3;
  if (!all.quick) return;
  if (!was_given("--repeats")) all.repeats = 3;
  if (!was_given("--seconds")) all.seconds = 500'000'000;
  if (!was_given("--warm-up")) all.warm_up = 100'000'000;
}

}  // namespace

Arguments parse_arguments(std::span<const std::string_view> words) {
  Arguments all;
  if (words.empty()) throw UsageError("say run, sweep or compare; --help tells what they do");
  all.command = command_of(words.front());
  if (all.command == Command::help) return all;
  std::vector<std::string_view> given;
  read_flags(all, words.subspan(1), given);
  if (all.command == Command::compare) {
    if (all.files.size() != 2) throw UsageError("compare takes two files: BEFORE.json AFTER.json");
    return all;
  }
  if (!all.files.empty()) throw UsageError("unknown argument: " + all.files.front());
  fill_in(all, given);
  check_url(all, given);
  if (all.command == Command::sweep) {
    check_sweep(all);
  } else {
    check_run(all);
  }
  check_load(all);
  return all;
}

}  // namespace tuner
