// TlsStore: the certificates that new connections get, and their renewal: when the files change,
// when somebody asks for it, and often enough that no ticket key becomes old.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/result.hpp"
#include "aiserve/core/telemetry.hpp"
#include "http/tls_context.hpp"

namespace aiserve::inline v0::http::detail {

class TlsStore {
 public:
  // Throws ConfigError.
  TlsStore(TlsOptions options, Telemetry& telemetry, std::string server, TimePoint now);

  // Any thread.
  std::shared_ptr<const TlsContext> current() const;
  // Any thread. invalid_argument, and the old certificates stay, if the files are no good.
  Result<void> reload(TimePoint now);
  // One thread: reloads if the files have changed, or the keys of tickets are old.
  void tick(TimePoint now);

 private:
  struct Stamp {
    std::int64_t modified_ns = 0;
    std::int64_t size = -1;
    std::uint64_t inode = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  std::vector<Stamp> look() const;

  const TlsOptions options_;
  Telemetry& telemetry_;
  const std::string server_;
  Counter& reloads_;
  Counter& failures_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> current_;
  std::vector<Stamp> stamps_;  // of the files at the last attempt
  TimePoint loaded_{};
  TimePoint looked_{};  // of the thread that ticks
  CallbackGauge expires_gauge_;
};

}  // namespace aiserve::inline v0::http::detail
