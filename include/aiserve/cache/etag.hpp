/// ETags out of digests (RFC 9110 section 8.8.3): a client that has the answer need not be sent it
/// again.
///
/// Use a key that outlives the process (DigestKey::from_secret), or every restart changes all tags.
/// *Thread safety:* functions without state.
///
///     const std::string tag = etag(classify.digest(image));
///     if (etag_matches(request.header("if-none-match"), tag)) return not_modified(tag);
#pragma once

#include <aiserve/cache/digest.hpp>

#include <string>
#include <string_view>

namespace aiserve::inline v0 {

/// A strong entity tag: the digest in quotes.
std::string etag(const Digest& digest);

/// Is `tag` among those of an If-None-Match field (or is that "*")? The weak comparison that
/// section 13.1.2 asks for. False for a field that is empty or malformed.
bool etag_matches(std::string_view if_none_match, std::string_view tag) noexcept;

}  // namespace aiserve::inline v0
