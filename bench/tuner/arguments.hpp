// The command line of aiserve-bench, checked as a whole. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/arrivals.hpp"
#include "tuner/http_text.hpp"
#include "tuner/knee.hpp"
#include "tuner/model_spec.hpp"
#include "tuner/parse.hpp"

namespace tuner {

enum class Command : std::uint8_t { help, run, sweep, compare };

struct Arguments {
  Command command = Command::help;

  std::string model_text = "spin:400us+40us";
  ModelSpec model{};
  std::size_t row_bytes = 3072;

  std::optional<Url> url{};
  std::string body_file{};
  std::string content_type = "application/octet-stream";
  std::string tenant_header{};
  std::size_t connections = 256;

  std::vector<std::size_t> max_batches{};  // one for run
  std::vector<int> instances{1};
  std::vector<int> threads{1};
  std::vector<Nanos> waits{0};
  std::size_t max_queue = 1024;

  std::vector<int> closed{};          // requests in flight
  std::optional<ArrivalKind> open{};  // else closed
  std::vector<double> rates{};
  std::string arrivals_file{};
  double on_seconds = 0.1;
  double off_seconds = 0.1;
  std::vector<TenantLoad> tenants{};
  Nanos deadline = 0;
  Nanos goal = 0;

  Nanos seconds = 2'000'000'000;
  Nanos warm_up = 300'000'000;
  int repeats = 5;
  std::uint64_t seed = 1;
  bool quick = false;

  std::string json{};
  std::string html{};
  bool quiet = false;

  std::vector<std::string> files{};  // compare
  double threshold = 0.05;

  std::vector<Setting> settings() const {
    return combinations(max_batches, instances, threads, waits);
  }
};

/// Without the program's name. Throws UsageError.
Arguments parse_arguments(std::span<const std::string_view> words);

std::string_view help_text() noexcept;

}  // namespace tuner
