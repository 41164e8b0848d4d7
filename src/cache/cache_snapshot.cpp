// Cache::save() and Cache::restore().
#include "aiserve/core/telemetry.hpp"
#include "cache/cache_impl.hpp"
#include "cache/snapshot_file.hpp"

namespace aiserve::inline v0 {
namespace {

Error no_key() {
  return {Errc::invalid_argument, "snapshots need a digest_key that outlives the process"};
}

decide::Nanos wall(const Clock& clock) { return clock.wall_now().time_since_epoch().count(); }

}  // namespace

Result<std::size_t> Cache::save(const std::string& path) const {
  if (!impl_->options.digest_key) return no_key();
  detail::SnapshotWriter writer(path, *impl_->options.digest_key);
  const Clock& clock = impl_->loading.runtime().clock();
  impl_->tier.save(clock.now(), wall(clock),
                   [&](const detail::SavedChunk& chunk) { writer.add(chunk); });
  return writer.finish();
}

Result<std::size_t> Cache::restore(const std::string& path) {
  if (!impl_->options.digest_key) return no_key();
  const Clock& clock = impl_->loading.runtime().clock();
  std::size_t restored = 0;
  const Result<std::size_t> read =
      detail::read_snapshot(path, *impl_->options.digest_key, [&](const detail::SavedChunk& chunk) {
        restored += impl_->tier.restore(chunk, clock.now(), wall(clock));
      });
  Logger& log = impl_->loading.runtime().telemetry().log();
  if (!read) {
    log.warn("the cache starts cold",
             {{"cache", impl_->options.name}, {"path", path}, {"why", read.error().to_string()}});
    return read.error();
  }
  log.info("cache snapshot restored", {{"cache", impl_->options.name}, {"entries", restored}});
  return restored;
}

}  // namespace aiserve::inline v0
