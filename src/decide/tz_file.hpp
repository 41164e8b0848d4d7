// The time zone file format TZif, versions 1 to 4 (RFC 8536, RFC 9636), read strictly: what is cut
// off, out of range, out of order or followed by something else is refused. So are files that count
// leap seconds. Pure: reading /usr/share/zoneinfo/Europe/Berlin is up to the caller.
//
//   const auto zone = parse_tz_file(bytes);
//   if (!zone) return zone.error;
#pragma once

#include <string_view>

#include "decide/parsed.hpp"
#include "decide/time_zone.hpp"

namespace aiserve::inline v0::decide {

/// Memory is bounded by the size of the file. Files of version 1, and those without a rule at their
/// end, keep their last offset for ever.
Parsed<TimeZone> parse_tz_file(std::string_view bytes);

}  // namespace aiserve::inline v0::decide
