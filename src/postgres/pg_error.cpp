#include "postgres/pg_error.hpp"

namespace aiserve::inline v0::pg {
namespace {

using namespace std::chrono_literals;

// See appendix A of PostgreSQL's manual.
constexpr const char* kDeadlock = "40P01";
constexpr const char* kReadOnly = "25006";
constexpr const char* kQueryCanceled = "57014";
constexpr const char* kLockNotAvailable = "55P03";
constexpr const char* kProgramLimit = "54000";

}  // namespace

bool PgError::retryable() const noexcept {
  return sqlstate_ == kSerializationFailure || sqlstate_ == kDeadlock;
}

bool PgError::unusable() const noexcept {
  if (kind_ != Kind::server) return true;
  // 08: connection, 57P: the server goes down or comes up.
  return sqlstate_ == kReadOnly || sqlstate_.starts_with("08") || sqlstate_.starts_with("57P");
}

bool PgError::unheard() const noexcept { return unusable() && sqlstate_ != kReadOnly; }

Error PgError::to_error() const {
  const std::string detail = "postgres " + sqlstate_ + ": " + what();
  if (kind_ == Kind::stopped) return Error(Errc::unavailable, "the store is closed");
  if (kind_ == Kind::timed_out || sqlstate_ == kQueryCanceled) {
    return Error(Errc::deadline_exceeded, "the store did not answer in time").with_detail(detail);
  }
  if (sqlstate_ == kLockNotAvailable) {
    return Error(Errc::overloaded, "others hold what this needs")
        .retry_after(1s)
        .with_detail(detail);
  }
  if (unusable() || retryable()) {
    return Error(Errc::unavailable, "the store cannot be used now")
        .retry_after(1s)
        .with_detail(detail);
  }
  // 53: no disk, no memory, too many connections.
  if (sqlstate_.starts_with("53")) {
    return Error(Errc::overloaded, "the store has no room").retry_after(1s).with_detail(detail);
  }
  if (sqlstate_ == kProgramLimit) {
    return Error(Errc::too_large, "the value is larger than the store takes").with_detail(detail);
  }
  if (sqlstate_ == "XX001" || sqlstate_ == "XX002") {
    return Error(Errc::data_loss, "the store is damaged").with_detail(detail);
  }
  return Error().with_detail(detail);
}

}  // namespace aiserve::inline v0::pg
