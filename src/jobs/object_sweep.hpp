// ObjectSweep: deletes the objects of payloads that no job refers to any more, or ever did: their
// jobs were forgotten, or a process ended between an object and the row that was to refer to it.
// Only what two sweeps in a row found so: what a store says can be undone by a crash, and then its
// jobs run again. A coroutine on the queue's thread.
#pragma once

#include <atomic>
#include <map>
#include <set>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/jobs/job_queue_options.hpp"
#include "aiserve/jobs/job_reader.hpp"
#include "aiserve/storage/object_store.hpp"
#include "jobs/bell.hpp"
#include "jobs/job_metrics.hpp"

namespace aiserve::inline v0::detail {

class ObjectSweep {
 public:
  ObjectSweep(Runtime& runtime, JobReader& reader, const JobOffload& offload, JobMetrics& metrics)
      : runtime_(runtime), reader_(reader), offload_(offload), metrics_(metrics) {}

  bool empty() const noexcept { return offload_.objects == nullptr; }
  Task run();
  /// Any thread.
  void end() noexcept;

 private:
  /// Errors: those of the stores.
  Async<void> sweep();
  Async<void> sweep(const Context& ctx, const std::vector<StoreKey>& of_one_tenant);
  boost::asio::awaitable<bool> removed(const Context& ctx, const StoreKey& key);
  void suspect(const StoreKey& key);

  Runtime& runtime_;
  JobReader& reader_;
  const JobOffload& offload_;
  JobMetrics& metrics_;
  std::set<StoreKey> suspects_;  // found unreferenced by the last whole sweep
  std::set<StoreKey> found_;     // by this one; a bounded number, the rest is for later sweeps
  Result<void> failed_ = success();
  Bell bell_;
  std::atomic<bool> ended_{false};
};

}  // namespace aiserve::inline v0::detail
