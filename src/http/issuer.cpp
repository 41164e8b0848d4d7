#include "aiserve/http/issuer.hpp"

#include <algorithm>
#include <utility>

#include <openssl/evp.h>

namespace aiserve::inline v0::http {
namespace {

constexpr std::size_t kMaxAnswer = 1024 * 1024;

Async<std::string> ask(Client& client, const Context& ctx, ClientRequest request) {
  request.max_body(kMaxAnswer);
  const Result<ClientResponse> answer = co_await client.send(ctx, std::move(request));
  if (!answer) co_return answer.error();
  if (answer->status() != 200) {
    co_return Error(Errc::unavailable, "the issuer gave no answer")
        .with_detail("status " + std::to_string(answer->status()));
  }
  co_return std::string(answer->text());
}

// Neither ':' nor what would have to be escaped first.
std::string checked(std::string text, const char* what) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), plain)) {
    throw ConfigError(std::string("introspection_url: ") + what +
                      " must be letters, digits and -._~ only");
  }
  return text;
}

std::string basic(const std::string& id, const std::string& secret) {
  const std::string plain = id + ':' + secret;
  std::string text((plain.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(plain.data()),
                                   static_cast<int>(plain.size()));
  text.resize(static_cast<std::size_t>(size));
  return "Basic " + text;
}

}  // namespace

FetchKeys jwks_url(Client& client, std::string url) {
  return [&client, url = std::move(url)](const Context& ctx) {
    return ask(client, ctx, ClientRequest(Method::get, url));
  };
}

PostForm introspection_url(Client& client, std::string url, std::string id, std::string secret) {
  id = checked(std::move(id), "the id");
  secret = checked(std::move(secret), "the secret");
  return [&client, url = std::move(url), credentials = basic(id, secret)](const Context& ctx,
                                                                          const std::string& form) {
    ClientRequest request(Method::post, url);
    request.header("Authorization", credentials).header("Accept", "application/json");
    request.body(form, "application/x-www-form-urlencoded");
    return ask(client, ctx, std::move(request));
  };
}

}  // namespace aiserve::inline v0::http
