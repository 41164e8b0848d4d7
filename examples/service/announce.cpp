#include "announce.hpp"

#include <cstdio>
#include <string>

namespace service {
namespace {

/// What a browser on this machine can open.
std::string url(const aiserve::http::Server& server) {
  std::string host = server.options().address;
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(server.port()) + "/";
}

}  // namespace

aiserve::Attachment announce(aiserve::Runtime& runtime, const Config& config,
                             const aiserve::http::Server& server,
                             const aiserve::http::Server& admin) {
  const auto say = [&server, &admin] {
    std::printf("aiserve: listening on %s (metrics and status on %s)\n", url(server).c_str(),
                url(admin).c_str());
    std::fflush(stdout);
  };
  return runtime.attach(
      {.name = "configuration", .start = say, .status = [text = to_json(config)] { return text; }});
}

}  // namespace service
