#include "embed/hello.hpp"

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "harness/http_get.hpp"
#include "harness/process.hpp"

namespace bench {
namespace {

const std::string kSource = BENCH_SOURCE_DIR;

double compile(const std::string& file) {
  const std::filesystem::path object =
      std::filesystem::temp_directory_path() / ("bench_embed_" + std::to_string(::getpid()) + ".o");
  const Command command{BENCH_CXX,
                        "-std=c++20",
                        "-O2",
                        "-DNDEBUG",
                        "-I" + kSource + "/include",
                        std::string("-I") + BENCH_GENERATED_INCLUDE,
                        "-c",
                        kSource + file,
                        "-o",
                        object.string()};
  const Finished finished = run_checked(command, {{"CCACHE_DISABLE", "1"}});
  std::filesystem::remove(object);
  return finished.cpu.total;
}

}  // namespace

double compile_hello() { return compile("/examples/01_hello/main.cpp"); }
double compile_only_asio() { return compile("/bench/embed/only_asio.cpp"); }

double start_hello() {
  const std::uint16_t port = free_port();
  const double begun = seconds_now();
  const Server server({BENCH_HELLO}, {{"PORT", std::to_string(port)}});
  while (true) {
    const std::string response = http_get(port, "/hello/bench");
    const double elapsed = seconds_now() - begun;
    if (response.find("Hello, bench!") != std::string::npos) return elapsed * 1e3;
    if (elapsed > 10) throw std::runtime_error("the hello server does not answer");
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

double stripped_kib() {
  const std::filesystem::path stripped =
      std::filesystem::temp_directory_path() / ("bench_embed_" + std::to_string(::getpid()));
  run_checked({"strip", "-o", stripped.string(), BENCH_HELLO});
  const auto bytes = std::filesystem::file_size(stripped);
  std::filesystem::remove(stripped);
  return static_cast<double>(bytes) / 1024;
}

}  // namespace bench
