// What clients of a job store asked and were answered, and whether a queue that loses nothing and
// records one outcome per job can have answered so.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::testing {

constexpr std::int64_t kUnanswered = std::numeric_limits<std::int64_t>::max();

/// Times are of one clock for all clients.
struct EnqueueCall {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t id = 0;
  std::string input{};
  std::string order_key{};
  int order_concurrency = 1;
};

/// One job of the answer to a claim.
struct ClaimCall {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t id = 0;
  int attempt = 0;
  std::uint64_t worker = 0;
  std::string input{};
};

struct SettleCall {
  std::int64_t begin = 0;
  std::int64_t end = kUnanswered;
  std::int64_t id = 0;
  int attempt = 0;
  std::uint64_t worker = 0;
  bool final = false;    ///< done: the result is signature()
  bool applied = false;  ///< of an answer

  std::string signature() const { return std::to_string(worker) + '/' + std::to_string(attempt); }
};

/// A job as it is in the end.
struct FinalJob {
  bool completed = false;
  std::string result{};
};

struct JobHistory {
  std::vector<EnqueueCall> enqueued;
  std::vector<ClaimCall> claimed;
  std::vector<SettleCall> settled;

  /// The lines of a client's log, in any order of clients; see to_line().
  void read(const std::string& file);
};

std::string to_line(const EnqueueCall& call);
std::string to_line(const ClaimCall& call);
/// Written before the call without an end, and again after it.
std::string to_line(const SettleCall& call);

/// What is wrong with it, a sentence each; empty: nothing.
std::vector<std::string> violations(const JobHistory& history,
                                    const std::map<std::int64_t, FinalJob>& jobs);

}  // namespace aiserve::inline v0::testing
