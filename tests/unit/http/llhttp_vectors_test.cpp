// llhttp's strict request vectors (AISERVE_VECTORS/llhttp), each whole and byte by byte, as they
// are and with the Host field that HTTP/1.1 asks for put in, so that a refusal has its own reason.
#include <filesystem>
#include <map>
#include <regex>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "unit/core/test_paths.hpp"
#include "unit/http/connection_fixture.hpp"

namespace aiserve::http::detail {
namespace {

struct Vector {
  std::string name;
  std::string payload;
  bool error;
  std::size_t messages;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

std::vector<Vector> load() {
  std::vector<Vector> vectors;
  const auto file = vectors_folder() / "llhttp" / "requests.json";
  if (!std::filesystem::exists(file)) return vectors;
  for (const auto& entry : nlohmann::json::parse(read_whole(file))) {
    vectors.push_back({entry["name"], from_hex(entry["payload_hex"]), !entry["error"].is_null(),
                       entry["messages"]});
  }
  return vectors;
}

std::string with_host(const std::string& payload) {
  static const std::regex host("\r\nhost:", std::regex::icase);
  static const std::regex line("( HTTP/1\\.[01]\r\n)");
  if (std::regex_search(payload, host)) return payload;
  return std::regex_replace(payload, line, "$1Host: a\r\n");
}

struct Outcome {
  std::size_t handled;
  int refused_with;  // 0: not refused

  bool operator==(const Outcome&) const = default;
};

Outcome run(const std::string& payload, std::size_t slice) {
  ConnectionFixture f;
  f.feed(payload, slice);
  const std::vector<int> statuses = f.statuses();
  CHECK(statuses.size() == f.handled.size() + static_cast<std::size_t>(f.refusals));
  CHECK(f.refusals <= 1);
  const bool refused = f.refusals != 0;
  if (refused) CHECK(f.closed());
  return {f.handled.size(), refused ? statuses.back() : 0};
}

// This one counts no message, although its first request is valid and complete.
std::size_t valid_before_the_error(const std::string& name) {
  return name == "CRLF between requests, implicit `keep-alive`" ? 1 : 0;
}

TEST_CASE("llhttp's vectors: nothing that is an error is handled, whatever the slicing") {
  const std::vector<Vector> vectors = load();
  if (vectors.empty()) {
    MESSAGE("SKIPPED: no vectors, set AISERVE_VECTORS");
    return;
  }
  CHECK(vectors.size() == 131);
  for (const Vector& vector : vectors) {
    INFO(vector.name);
    for (const std::string& payload : {vector.payload, with_host(vector.payload)}) {
      const Outcome whole = run(payload, payload.size());
      CHECK(run(payload, 1) == whole);
      CHECK(whole.handled <= vector.messages + valid_before_the_error(vector.name));
    }
  }
}

TEST_CASE("llhttp's vectors: what is valid and routable is handled") {
  // What llhttp accepts and we don't: methods that no route has, versions and protocols that are
  // not HTTP/1.1 or 1.0, codings but chunked, targets with a fragment, with userinfo, or whose
  // authority is not the Host field, and two requests without the bodies they announce.
  const std::map<std::string, int> stricter = {
      {"ANNOUNCE request with RTSP", 501},
      {"Content-Length reset when no body is received", 0},
      {"Fragment in URI", 400},
      {"Host terminated by a query string", 400},
      {"LINK request", 501},
      {"M-SEARCH request", 501},
      {"No HTTP version", 400},
      {"OPTIONS request with RTSP", 400},
      {"POST with `chunked` as last transfer-encoding", 400},
      {"POST with `chunked` as last transfer-encoding (multiple headers)", 400},
      {"PURGE request", 501},
      {"QUERY request", 501},
      {"REPORT request", 501},
      {"SEARCH request", 501},
      {"SOURCE request", 501},
      {"SOURCE request with ICE", 501},
      {"`host:port` and basic auth", 400},
      {"`host:port` terminated by a query string", 400},
      {"`host:port` terminated by a space", 400}};
  std::map<std::string, int> refused;
  const std::vector<Vector> vectors = load();
  for (const Vector& vector : vectors) {
    if (vector.error) continue;
    const std::string payload = with_host(vector.payload);
    const Outcome outcome = run(payload, payload.size());
    if (outcome.handled < vector.messages) refused[vector.name] = outcome.refused_with;
  }
  if (!vectors.empty()) CHECK(refused == stricter);
}

}  // namespace
}  // namespace aiserve::http::detail
