#include "http/subject.hpp"

#include <sstream>
#include <stdexcept>

namespace bench {
namespace {

std::string with_port(std::string text, std::uint16_t port) {
  constexpr std::string_view kPlace = "@PORT@";
  const std::size_t at = text.find(kPlace);
  return at == std::string::npos ? text : text.replace(at, kPlace.size(), std::to_string(port));
}

// Of "  123456 requests in 2.00s, 20MB read".
double wrk_requests(const std::string& output) {
  const std::size_t end = output.find(" requests in ");
  if (end == std::string::npos) throw std::runtime_error("wrk says: " + output);
  if (output.find("Non-2xx") != std::string::npos) throw std::runtime_error("wrk met errors");
  const std::size_t begin = output.rfind(' ', end - 1) + 1;
  return std::stod(output.substr(begin, end - begin));
}

}  // namespace

void Subject::start() {
  port_ = free_port();
  Command command;
  for (const std::string& part : command_) command.push_back(with_port(part, port_));
  server_ = std::make_unique<Server>(command, environment_);
  server_->wait_for_port(port_);
}

Cost Subject::http(std::uint64_t requests, const Command& shape) {
  load(requests / 20, shape);
  const Cpu before = server_->cpu();
  const double per_second = load(requests, shape);
  const Cpu used = server_->cpu() - before;
  const double scale = 1e6 / static_cast<double>(requests);
  return {used.user * scale, used.total * scale, per_second};
}

double Subject::load(std::uint64_t requests, const Command& shape) const {
  Command command{BENCH_LOAD, std::to_string(port_), "--requests", std::to_string(requests)};
  command.insert(command.end(), shape.begin(), shape.end());
  std::istringstream line(run_checked(command).output);
  double answered = 0;
  double seconds = 0;
  double per_second = 0;
  line >> answered >> seconds >> per_second;
  return per_second;
}

Cost Subject::wrk(const std::string& scheme, const std::string& path, int seconds) {
  const std::string url = scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  const Cpu before = server_->cpu();
  const Finished done =
      run_checked({"wrk", "-t", "1", "-c", "64", "-d", std::to_string(seconds) + "s", url});
  const Cpu used = server_->cpu() - before;
  const double requests = wrk_requests(done.output);
  return {used.user * 1e6 / requests, used.total * 1e6 / requests, requests / done.seconds};
}

void require_program(const std::string& program) {
  const Finished found = run_program({"sh", "-c", "command -v " + program});
  if (found.status != 0) throw std::runtime_error(program + " is not installed");
}

}  // namespace bench
