// The hello server from outside: what it takes to compile, to start and to store it.
#pragma once

namespace bench {

/// CPU seconds to compile examples/01_hello/main.cpp at -O2, as a host would.
double compile_hello();
/// CPU seconds to compile a file that only includes boost/asio.hpp, with the same flags.
double compile_only_asio();

/// From fork to the last byte of the first answer, in ms.
double start_hello();
/// Size of the stripped program, static but for the system's libraries.
double stripped_kib();

}  // namespace bench
