#include "aiserve/core/error.hpp"

#include <array>
#include <cstdio>

namespace aiserve::inline v0 {
namespace {

constexpr std::array<ErrcTraits, 16> kTable{{
    {Errc::malformed, 400, false, "malformed", "Malformed request", "urn:aiserve:malformed"},
    {Errc::invalid_argument, 422, false, "invalid_argument", "Invalid argument",
     "urn:aiserve:invalid-argument"},
    {Errc::unauthenticated, 401, false, "unauthenticated", "Unauthenticated",
     "urn:aiserve:unauthenticated"},
    {Errc::permission_denied, 403, false, "permission_denied", "Permission denied",
     "urn:aiserve:permission-denied"},
    {Errc::not_found, 404, false, "not_found", "Not found", "urn:aiserve:not-found"},
    {Errc::already_exists, 409, false, "already_exists", "Already exists",
     "urn:aiserve:already-exists"},
    {Errc::conflict, 409, true, "conflict", "Conflict", "urn:aiserve:conflict"},
    {Errc::too_large, 413, false, "too_large", "Too large", "urn:aiserve:too-large"},
    {Errc::rate_limited, 429, true, "rate_limited", "Rate limited", "urn:aiserve:rate-limited"},
    {Errc::overloaded, 503, true, "overloaded", "Overloaded", "urn:aiserve:overloaded"},
    {Errc::unavailable, 503, true, "unavailable", "Unavailable", "urn:aiserve:unavailable"},
    {Errc::deadline_exceeded, 504, true, "deadline_exceeded", "Deadline exceeded",
     "urn:aiserve:deadline-exceeded"},
    {Errc::cancelled, 499, false, "cancelled", "Cancelled", "urn:aiserve:cancelled"},
    {Errc::unimplemented, 501, false, "unimplemented", "Not implemented",
     "urn:aiserve:unimplemented"},
    {Errc::internal, 500, false, "internal", "Internal error", "urn:aiserve:internal"},
    {Errc::data_loss, 500, false, "data_loss", "Data loss", "urn:aiserve:data-loss"},
}};

constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].code) != i) return false;
  }
  return true;
}
static_assert(rows_follow_the_enum());

}  // namespace

const ErrcTraits& traits(Errc code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < kTable.size() ? kTable[index] : traits(Errc::internal);
}

std::span<const ErrcTraits> all_errc_traits() noexcept { return kTable; }

std::string Error::to_string() const {
  std::string text(traits(code_).label);
  text += ": ";
  text += message_;
  if (!detail_.empty()) text += " (" + detail_ + ")";
  return text;
}

int report(const ConfigError& error) noexcept {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}

Error error_from_current_exception() noexcept {
  try {
    throw;
  } catch (const ResultError& error) {
    return error.error();
  } catch (const std::exception& error) {
    return Error().with_detail(error.what());
  } catch (...) {
    return Error().with_detail("an exception that is no std::exception");
  }
}

}  // namespace aiserve::inline v0
