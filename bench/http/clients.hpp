// What the load programs of bench http share: blocking clients on loopback that end the program
// with a line when something is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench::clients {

[[noreturn]] void fail(const std::string& why);

/// `receive_buffer`: SO_RCVBUF in bytes; 0: the kernel's default.
int connect_to(std::uint16_t port, int receive_buffer = 0);
void send_all(int fd, std::string_view bytes);
/// Up to and with the empty line. Fails unless the response has this status.
std::string read_head(int fd, int status);
void read_exactly(int fd, std::size_t bytes);

std::string get(std::uint16_t port, const std::string& path);
/// GETs, and reads the whole response, which must be a 200 with Content-Length.
void get_and_read(int fd, std::uint16_t port, const std::string& path);
void upgrade(int fd, std::uint16_t port);

/// Listens on the port, so that who started the program sees that it is ready, and sleeps until it
/// is told to end.
[[noreturn]] void ready(std::uint16_t port);

}  // namespace bench::clients
