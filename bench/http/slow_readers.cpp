// http_slow PORT COUNT PATH READY: so many connections, each with a receive buffer of 64 KiB, that
// ask for PATH and read only its head. Listens on READY when all are there.
#include <cstdlib>

#include "http/clients.hpp"

namespace clients = bench::clients;

int main(int argc, char** argv) {
  if (argc != 5) clients::fail("usage: http_slow PORT COUNT PATH READY");
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  constexpr int kReceiveBuffer = 64 * 1024;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const int fd = clients::connect_to(port, kReceiveBuffer);
    clients::send_all(fd, clients::get(port, argv[3]));
    clients::read_head(fd, 200);
  }
  clients::ready(static_cast<std::uint16_t>(std::atoi(argv[4])));
}
