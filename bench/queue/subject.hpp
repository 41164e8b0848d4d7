// The queue under test, and the little that all groups need.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"

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

/// A queue of its own file, with one kind.
struct Subject {
  Subject(const std::string& file, aiserve::JobQueueOptions options, aiserve::JobHandler handler);
  ~Subject() { runtime.shutdown(); }

  aiserve::Context tenant(const char* id) const;
  void enqueue(const aiserve::Context& ctx, std::size_t count);

  aiserve::Telemetry telemetry;
  aiserve::Runtime runtime;
  aiserve::SqliteJobStore store;
  aiserve::JobQueue jobs;
};

inline constexpr const char* kKind = "noop";

}  // namespace bench
