#include "http/rivals.hpp"

#include <filesystem>
#include <stdexcept>

#include "http/subject.hpp"

namespace bench::rivals {
namespace {

namespace fs = std::filesystem;

// Its configuration names the port, so the shell writes one before it becomes nginx; what it wrote
// goes when nginx has ended.
Command nginx_listening(const std::string& tls) {
  require_program("nginx");
  const std::string script = "dir=$(mktemp -d); sed \"s|@LISTEN@|$1|; s|@TLS@|" + tls +
                             "|; s|@DIR@|$dir|g\" " BENCH_RIVALS
                             "/nginx/nginx.conf.in >$dir/conf; "
                             "(setsid sh -c \"tail --pid=$$ -f /dev/null; rm -rf $dir\" "
                             "</dev/null >/dev/null 2>&1 &); exec nginx -p $dir -c $dir/conf";
  return {"sh", "-c", script, "nginx", "@PORT@" + std::string(tls.empty() ? "" : " ssl")};
}

Command node(const std::string& script, const std::string& package) {
  require_program("node");
  if (!fs::exists(fs::path(BENCH_RIVALS) / "node/node_modules" / package)) {
    throw std::runtime_error("npm " + package + " is not installed (npm ci in bench/rivals/node)");
  }
  return {"node", BENCH_RIVALS "/node/" + script, "@PORT@"};
}

}  // namespace

Command nginx() { return nginx_listening(""); }

Command nginx_tls(const std::string& certificate, const std::string& key) {
  return nginx_listening("ssl_certificate " + certificate + "; ssl_certificate_key " + key +
                         "; ssl_protocols TLSv1.3;");
}

Command cpp_httplib() {
#ifdef BENCH_HTTPLIB
  return {BENCH_HTTPLIB, "@PORT@"};
#else
  throw std::runtime_error("libcpp-httplib-dev is not installed");
#endif
}

Command fastify() { return node("fastify.js", "fastify"); }
Command npm_ws() { return node("ws_echo.js", "ws"); }

Command fastapi() {
  const std::string python = "/usr/bin/python3";
  if (run_program({python, "-c", "import fastapi, uvicorn, uvloop, httptools"}).status != 0) {
    throw std::runtime_error("python3-fastapi, uvicorn, uvloop or httptools is not installed");
  }
  return {python,   "-m",     "uvicorn",        "echo:app", "--app-dir", BENCH_RIVALS "/fastapi",
          "--port", "@PORT@", "--no-access-log"};
}

}  // namespace bench::rivals
