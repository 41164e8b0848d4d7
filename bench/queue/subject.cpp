#include "queue/subject.hpp"

#include <algorithm>

#include <stdlib.h>

#include "aiserve/sqlite/sqlite_job_store.hpp"

namespace bench {

using namespace aiserve;

OpenStore in_file(const std::string& file) {
  return [file](Runtime& runtime) {
    return std::make_unique<SqliteJobStore>(runtime, SqliteDatabaseOptions{.path = file});
  };
}

double percentile(std::vector<double> values, double part) {
  const auto at = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

Folder::Folder() {
  std::string name = std::filesystem::temp_directory_path() / "bench-queue-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Countdown::count() {
  const std::scoped_lock lock(mutex_);
  if (--left_ <= 0) reached_.notify_all();
}

void Countdown::wait() {
  std::unique_lock lock(mutex_);
  reached_.wait(lock, [this] { return left_ <= 0; });
}

Subject::Subject(const OpenStore& open, JobQueueOptions options, JobHandler handler)
    : telemetry({.log_level = LogLevel::warn}),
      runtime({.telemetry = &telemetry}),
      store(open(runtime)),
      jobs(runtime, *store, dynamic_cast<JobReader&>(*store), std::move(options)) {
  jobs.on(kKind, std::move(handler));
}

Subject::Subject(const std::string& file, JobQueueOptions options, JobHandler handler)
    : Subject(in_file(file), std::move(options), std::move(handler)) {}

Context Subject::tenant(const char* id) const {
  return Context(ContextOptions{.tenant = Tenant({.id = TenantId(id)})});
}

void Subject::enqueue(const Context& ctx, std::size_t count) {
  constexpr std::size_t kAtOnce = 10'000;
  for (std::size_t done = 0; done < count; done += kAtOnce) {
    const std::vector<NewJob> some(std::min(kAtOnce, count - done), jobs.make(ctx, kKind, Bytes()));
    if (!block_on(runtime, jobs.enqueue(ctx, some))) throw std::runtime_error("enqueue failed");
  }
}

}  // namespace bench
