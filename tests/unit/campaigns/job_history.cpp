#include "unit/campaigns/job_history.hpp"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

namespace aiserve::inline v0::testing {
namespace {

using Jobs = std::map<std::int64_t, FinalJob>;

class Checker {
 public:
  Checker(const JobHistory& history, const Jobs& jobs) : history_(history), jobs_(jobs) {
    for (const ClaimCall& claim : history.claimed) claims_[claim.id].push_back(&claim);
    for (const SettleCall& settle : history.settled) settles_[settle.id].push_back(&settle);
  }

  std::vector<std::string> run() {
    check_enqueued();
    for (const auto& [id, claims] : claims_) check_claims(id, claims);
    for (const auto& [id, settles] : settles_) check_settles(id, settles);
    check_final();
    check_order();
    return std::move(found_);
  }

 private:
  void report(std::int64_t id, const std::string& what) {
    found_.push_back("job " + std::to_string(id) + ' ' + what);
  }

  void check_enqueued() {
    for (const EnqueueCall& call : history_.enqueued) {
      if (jobs_.count(call.id) == 0) report(call.id, "was acknowledged and is lost");
      if (!inputs_.emplace(call.id, call.input).second) report(call.id, "was given to two callers");
    }
  }

  void check_claims(std::int64_t id, const std::vector<const ClaimCall*>& claims) {
    std::set<int> attempts;
    const auto input = inputs_.find(id);
    for (const ClaimCall* one : claims) {
      if (!attempts.insert(one->attempt).second) report(id, "was claimed twice in one attempt");
      if (input != inputs_.end() && input->second != one->input) report(id, "has another input");
      for (const ClaimCall* other : claims) {
        if (one->end < other->begin && one->attempt >= other->attempt) {
          report(id, "was claimed with numbers that do not ascend");
        }
      }
    }
  }

  void check_settles(std::int64_t id, const std::vector<const SettleCall*>& settles) {
    int outcomes = 0;
    for (const SettleCall* settle : settles) {
      if (!settle->applied) continue;
      outcomes += settle->final ? 1 : 0;
      bool its_own = false;
      for (const ClaimCall* claim : claims_[id]) {
        its_own = its_own || (claim->attempt == settle->attempt && claim->worker == settle->worker);
        if (claim->attempt > settle->attempt && claim->end < settle->begin) {
          report(id, "was finished by an attempt that another one had taken over from");
        }
        if (settle->final && settle->end < claim->begin) report(id, "ran again after its outcome");
      }
      if (!its_own) report(id, "was settled by who had not claimed it");
    }
    if (outcomes > 1) report(id, "has two recorded outcomes");
  }

  void check_final() {
    for (const auto& entry : jobs_) {
      // Not a structured binding: clang 14 cannot capture one.
      const std::int64_t id = entry.first;
      const FinalJob& job = entry.second;
      const std::vector<const SettleCall*>& settles = settles_[id];
      const auto recorded = std::find_if(settles.begin(), settles.end(), [](const SettleCall* one) {
        return one->final && one->applied;
      });
      if (recorded != settles.end() && !job.completed) report(id, "lost its outcome");
      if (!job.completed) continue;
      const bool explained = std::any_of(settles.begin(), settles.end(), [&](const auto* one) {
        const bool may_be = one->applied || one->end == kUnanswered;
        return one->final && may_be && one->signature() == job.result;
      });
      if (!explained) report(id, "has an outcome that nobody gave");
      if (recorded != settles.end() && (*recorded)->signature() != job.result) {
        report(id, "has another outcome than the recorded one");
      }
    }
  }

  /// Of those of its order key that were there before it, a job leaves at most so many unfinished
  /// behind as it says, itself included.
  void check_order() {
    std::map<std::string, std::map<std::int64_t, int>> lines;
    for (const EnqueueCall& call : history_.enqueued) {
      if (!call.order_key.empty()) lines[call.order_key].emplace(call.id, call.order_concurrency);
    }
    for (const auto& [key, line] : lines) {
      for (auto job = line.begin(); job != line.end(); ++job) check_turn(line.begin(), job);
    }
  }

  using Place = std::map<std::int64_t, int>::const_iterator;
  void check_turn(Place first, Place job) {
    for (const ClaimCall* claim : claims_[job->first]) {
      const auto overtaken = std::count_if(first, job, [&](const auto& earlier) {
        const std::vector<const ClaimCall*>& claims = claims_[earlier.first];
        return std::any_of(claims.begin(), claims.end(),
                           [&](const ClaimCall* other) { return claim->end < other->begin; });
      });
      if (overtaken >= job->second) report(job->first, "overtook others of its order key");
    }
  }

  const JobHistory& history_;
  const Jobs& jobs_;
  std::map<std::int64_t, std::string> inputs_;
  std::map<std::int64_t, std::vector<const ClaimCall*>> claims_;
  std::map<std::int64_t, std::vector<const SettleCall*>> settles_;
  std::vector<std::string> found_;
};

}  // namespace

std::string to_line(const EnqueueCall& call) {
  std::ostringstream line;
  line << "enqueue " << call.begin << ' ' << call.end << ' ' << call.id << ' ' << call.input << ' '
       << (call.order_key.empty() ? "-" : call.order_key) << ' ' << call.order_concurrency << '\n';
  return line.str();
}

std::string to_line(const ClaimCall& call) {
  std::ostringstream line;
  line << "claim " << call.begin << ' ' << call.end << ' ' << call.id << ' ' << call.attempt << ' '
       << call.worker << ' ' << call.input << '\n';
  return line.str();
}

std::string to_line(const SettleCall& call) {
  std::ostringstream line;
  line << "settle " << call.begin << ' ' << call.end << ' ' << call.id << ' ' << call.attempt << ' '
       << call.worker << ' ' << call.final << ' ' << call.applied << '\n';
  return line.str();
}

void JobHistory::read(const std::string& file) {
  std::ifstream in(file);
  std::map<std::tuple<std::int64_t, int, std::uint64_t>, SettleCall> settles;
  for (std::string line; std::getline(in, line);) {
    // The last line of the dead may be cut: the call was not answered.
    std::istringstream words(line);
    std::string what;
    words >> what;
    EnqueueCall enqueue;
    ClaimCall claim;
    SettleCall settle;
    if (what == "enqueue" && words >> enqueue.begin >> enqueue.end >> enqueue.id >> enqueue.input >>
                                 enqueue.order_key >> enqueue.order_concurrency) {
      if (enqueue.order_key == "-") enqueue.order_key.clear();
      enqueued.push_back(std::move(enqueue));
    } else if (what == "claim" && words >> claim.begin >> claim.end >> claim.id >> claim.attempt >>
                                      claim.worker >> claim.input) {
      claimed.push_back(std::move(claim));
    } else if (what == "settle" && words >> settle.begin >> settle.end >> settle.id >>
                                       settle.attempt >> settle.worker >> settle.final >>
                                       settle.applied) {
      settles[{settle.id, settle.attempt, settle.worker}] = settle;
    }
  }
  for (auto& [key, settle] : settles) settled.push_back(settle);
}

std::vector<std::string> violations(const JobHistory& history, const Jobs& jobs) {
  return Checker(history, jobs).run();
}

}  // namespace aiserve::inline v0::testing
