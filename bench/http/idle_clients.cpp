// http_idle PORT COUNT http|ws READY: so many connections that have asked once (or are WebSockets)
// and then stay silent. Listens on READY when all are there.
#include <cstdlib>
#include <string_view>

#include <sys/resource.h>

#include "http/clients.hpp"

namespace clients = bench::clients;

int main(int argc, char** argv) {
  if (argc != 5) clients::fail("usage: http_idle PORT COUNT http|ws READY");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const int fd = clients::connect_to(port);
    if (std::string_view(argv[3]) == "ws") {
      clients::upgrade(fd, port);
    } else {
      clients::get_and_read(fd, port, "/plaintext");
    }
  }
  clients::ready(static_cast<std::uint16_t>(std::atoi(argv[4])));
}
