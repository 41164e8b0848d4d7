// JobWorld: queues, slots and jobs of random length in virtual time, run by divide() and JobShares
// alone.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "decide/job_quota.hpp"

namespace job_test {

using namespace aiserve::decide;

constexpr double kNanosPerSecond = 1e9;

class JobWorld {
 public:
  struct Started {
    std::size_t tenant = 0;
    double waited = 0;
    double at = 0;
  };

  JobWorld(std::size_t slots, const std::vector<double>& weights, std::size_t kind_count)
      : slots_(slots), served(weights.size(), 0), queues_(weights.size()) {
    for (std::size_t i = 0; i < weights.size(); ++i) names_.push_back("tenant" + std::to_string(i));
    for (std::size_t i = 0; i < kind_count; ++i) names_.push_back("kind" + std::to_string(i));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      tenants.push_back({.name = names_[i], .weight = weights[i]});
      queues_[i].resize(kind_count);
    }
    for (std::size_t i = 0; i < kind_count; ++i)
      kinds.push_back({.name = names_[weights.size() + i]});
  }

  void submit(std::size_t tenant, std::size_t kind, double cost) {
    queues_[tenant][kind].push_back({.came = now_, .cost = cost});
  }

  double now() const { return now_; }
  std::size_t queued(std::size_t tenant) const {
    std::size_t all = 0;
    for (const auto& queue : queues_[tenant]) all += queue.size();
    return all;
  }
  std::size_t running() const { return running_.size(); }
  std::size_t running(std::size_t tenant) const {
    return static_cast<std::size_t>(std::count_if(
        running_.begin(), running_.end(), [&](const Job& job) { return job.tenant == tenant; }));
  }
  bool idle() const { return running_.empty(); }

  /// Fills the free slots.
  void start(const std::function<void(const Started&)>& on_start = nullptr) {
    const std::vector<BacklogRow> rows = backlog();
    const auto quotas = divide({.tenants = tenants,
                                .kinds = kinds,
                                .backlog = rows,
                                .free_slots = slots_ - running_.size(),
                                .now = nanos(now_)},
                               shares);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t n = 0; n < quotas[i]; ++n) begin(rows[i].tenant, rows[i].kind, on_start);
    }
  }

  /// Until `time`, or the first job that ends before it.
  void advance(double time) {
    if (running_.empty() || running_.front().ends > time) {
      now_ = time;
      return;
    }
    std::pop_heap(running_.begin(), running_.end(), ends_later);
    const Job job = running_.back();
    running_.pop_back();
    now_ = job.ends;
    served[job.tenant] += job.cost;
    shares.settled(tenants[job.tenant].name, kinds[job.kind].name, job.charged, job.cost);
  }
  void advance() { advance(running_.empty() ? now_ : running_.front().ends); }

 private:
  struct Waiting {
    double came = 0;
    double cost = 0;
  };
  struct Job {
    std::size_t tenant = 0;
    std::size_t kind = 0;
    double cost = 0;
    double charged = 0;
    double ends = 0;
  };

  static bool ends_later(const Job& a, const Job& b) { return a.ends > b.ends; }
  static Nanos nanos(double seconds) { return static_cast<Nanos>(seconds * kNanosPerSecond); }

  std::vector<BacklogRow> backlog() const {
    std::vector<BacklogRow> rows;
    for (std::size_t tenant = 0; tenant < queues_.size(); ++tenant) {
      for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
        const auto& queue = queues_[tenant][kind];
        const auto running = std::count_if(running_.begin(), running_.end(), [&](const Job& job) {
          return job.tenant == tenant && job.kind == kind;
        });
        rows.push_back({.tenant = tenant,
                        .kind = kind,
                        .ready = queue.size(),
                        .running = static_cast<std::size_t>(running),
                        .turn = queue.empty() ? 0 : nanos(queue.front().came)});
      }
    }
    return rows;
  }

  void begin(std::size_t tenant, std::size_t kind,
             const std::function<void(const Started&)>& on_start) {
    const Waiting job = queues_[tenant][kind].front();
    queues_[tenant][kind].pop_front();
    const double charged = shares.started(tenants[tenant].name, kinds[kind].name);
    running_.push_back({tenant, kind, job.cost, charged, now_ + job.cost});
    std::push_heap(running_.begin(), running_.end(), ends_later);
    if (on_start) on_start({.tenant = tenant, .waited = now_ - job.came, .at = now_});
  }

  std::size_t slots_;
  double now_ = 0;
  std::vector<std::string> names_;

 public:
  JobShares shares;
  std::vector<TenantRoom> tenants;
  std::vector<KindRoom> kinds;
  std::vector<double> served;  ///< cost of settled jobs, per tenant

 private:
  std::vector<std::vector<std::deque<Waiting>>> queues_;
  std::vector<Job> running_;
};

}  // namespace job_test
