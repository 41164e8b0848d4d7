// The queue under test, and the little that all groups need.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"

namespace bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double percentile(std::vector<double> values, double part);

/// Gone with its files at its end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Waits for what other threads count.
class Countdown {
 public:
  explicit Countdown(long left) : left_(left) {}
  void count();
  void wait();

 private:
  std::mutex mutex_;
  std::condition_variable reached_;
  long left_;
};

using OpenStore = std::function<std::unique_ptr<aiserve::JobStore>(aiserve::Runtime&)>;

OpenStore in_file(const std::string& sqlite_file);

/// A queue of a store of its own, with one kind.
struct Subject {
  Subject(const OpenStore& open, aiserve::JobQueueOptions options, aiserve::JobHandler handler);
  /// Over SQLite.
  Subject(const std::string& file, aiserve::JobQueueOptions options, aiserve::JobHandler handler);
  ~Subject() { runtime.shutdown(); }

  aiserve::Context tenant(const char* id) const;
  void enqueue(const aiserve::Context& ctx, std::size_t count);

  aiserve::Telemetry telemetry;
  aiserve::Runtime runtime;
  const std::unique_ptr<aiserve::JobStore> store;
  aiserve::JobQueue jobs;
};

inline constexpr const char* kKind = "noop";

/// A handler that does nothing.
aiserve::JobHandler counting(Countdown& ended);
/// Until every outcome is on disk.
void wait_until_recorded(Subject& subject, const aiserve::Context& ctx);
/// Seconds from the acknowledgement of a single job to the start of its handler.
std::vector<double> pickup_seconds(const OpenStore& open, int count);
/// Jobs per second of the workers alone, with so many jobs waiting.
double drain_per_s(const OpenStore& open, std::size_t waiting, int count);
/// Jobs per second from enqueue to the recorded outcome, with 64 producers.
double lifecycle_per_s(const OpenStore& open, int count);

}  // namespace bench
