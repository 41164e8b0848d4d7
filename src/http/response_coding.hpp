// Which responses are compressed, into what, and what their header fields say then.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aiserve/http/compression.hpp"
#include "aiserve/http/request.hpp"
#include "aiserve/http/response.hpp"
#include "http/coding.hpp"

namespace aiserve::inline v0::http::detail {

// Throws ConfigError.
void check(const CompressionOptions& options);

bool type_is_listed(const CompressionOptions& options, std::string_view content_type) noexcept;

// True if another client might get this response compressed: it varies by Accept-Encoding.
bool may_compress(const CompressionOptions& options, const Response& response) noexcept;

// What this client wants most of what this build has; identity if it wants that more.
Coding wanted_coding(const Request& request) noexcept;

// Of a request that names one: what its body is to be decoded from; nothing: 415.
std::optional<Coding> request_coding(const Request& request,
                                     const CompressionOptions& options) noexcept;

void add_vary(Response& response);
// The response now has this body, which is the old one in that coding.
void set_coded_body(Response& response, Coding coding, std::string body);

// All of it, for bodies up to max_size.
void compress_response(const CompressionOptions& options, const Request& request,
                       Response& response);

}  // namespace aiserve::inline v0::http::detail
