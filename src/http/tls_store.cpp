#include "http/tls_store.hpp"

#include <sys/stat.h>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// Who gets hold of a ticket key can read what TLS 1.2 sessions resumed with it have said.
constexpr std::chrono::hours kTicketKeyLife{12};

constexpr const char* kReloads = "aiserve_http_tls_reloads_total";
constexpr const char* kReloadsHelp = "Attempts to load the certificates anew";

}  // namespace

TlsStore::TlsStore(TlsOptions options, Telemetry& telemetry, std::string server, TimePoint now)
    : options_(std::move(options)),
      telemetry_(telemetry),
      server_(std::move(server)),
      reloads_(telemetry.metrics().counter(kReloads, kReloadsHelp,
                                           {{"server", server_}, {"result", "ok"}})),
      failures_(telemetry.metrics().counter(kReloads, kReloadsHelp,
                                            {{"server", server_}, {"result", "failed"}})),
      stamps_(look()),
      loaded_(now),
      looked_(now) {
  current_ = std::make_shared<const TlsContext>(options_);
  expires_gauge_ = telemetry.metrics().gauge(
      "aiserve_http_tls_expires_timestamp_seconds",
      "When the first of the certificates expires, in seconds since 1970", {{"server", server_}},
      [this] {
        return std::chrono::duration<double>(current()->expires().time_since_epoch()).count();
      });
}

std::shared_ptr<const TlsContext> TlsStore::current() const {
  const std::scoped_lock lock(mutex_);
  return current_;
}

std::vector<TlsStore::Stamp> TlsStore::look() const {
  std::vector<const std::string*> files{&options_.certificate, &options_.private_key,
                                        &options_.client_ca};
  files.reserve(files.size() + 2 * options_.more.size());
  for (const TlsCertificate& more : options_.more) {
    files.push_back(&more.certificate);
    files.push_back(&more.private_key);
  }
  std::vector<Stamp> stamps;
  stamps.reserve(files.size());
  for (const std::string* file : files) {
    struct stat status {};
    if (::stat(file->c_str(), &status) != 0) {
      stamps.emplace_back();
      continue;
    }
    const std::int64_t seconds = status.st_mtim.tv_sec;
    stamps.push_back(
        {seconds * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_size, status.st_ino});
  }
  return stamps;
}

Result<void> TlsStore::reload(TimePoint now) {
  std::vector<Stamp> stamps = look();  // before they are read: a later change is seen
  std::shared_ptr<const TlsContext> fresh;
  std::string why;
  try {
    fresh = std::make_shared<const TlsContext>(options_);
  } catch (const std::exception& error) {
    why = error.what();
  }
  {
    const std::scoped_lock lock(mutex_);
    stamps_ = std::move(stamps);
    loaded_ = now;
    if (fresh != nullptr) current_.swap(fresh);
  }
  if (why.empty()) {
    reloads_.inc();
    telemetry_.log().info("http: certificates loaded anew", {{"server", server_}});
    return success();
  }
  failures_.inc();
  telemetry_.log().error("http: new certificates are no good, the old ones stay",
                         {{"server", server_}, {"reason", why}});
  return Error(Errc::invalid_argument, "the new certificates are no good").with_detail(why);
}

void TlsStore::tick(TimePoint now) {
  const Duration interval = options_.reload_interval;
  if (now - looked_ < (interval.count() == 0 ? Duration(kTicketKeyLife) : interval)) return;
  looked_ = now;
  const std::vector<Stamp> stamps = look();
  bool due = false;
  {
    const std::scoped_lock lock(mutex_);
    due = stamps != stamps_ || now - loaded_ >= kTicketKeyLife;
  }
  if (due) (void)reload(now);
}

}  // namespace aiserve::inline v0::http::detail
