// The head of a request as it goes over the wire.
#pragma once

#include <string>

#include "aiserve/core/context.hpp"
#include "aiserve/http/client_options.hpp"
#include "aiserve/http/client_request.hpp"
#include "http/client/url.hpp"

namespace aiserve::inline v0::http::detail {

// invalid_argument for a field that could not be sent as one field, or that is the client's own.
Result<void> check_fields(const ClientRequest& request);

struct WireHead {
  const Url& url;
  Method method;
  bool with_body;      // else the request's body and what describes it stay behind
  bool own_origin;     // else the request's credentials stay behind
  Duration remaining;  // of the deadline; Duration::max(): there is none
};

std::string encode_head(const ClientRequest& request, const WireHead& head, const Context& ctx,
                        const ClientOptions& options);

}  // namespace aiserve::inline v0::http::detail
