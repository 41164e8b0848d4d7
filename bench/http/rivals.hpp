// How other servers are started; "@PORT@" in a command is where its port goes.
#pragma once

#include <string>

#include "harness/process.hpp"

namespace bench::rivals {

// All throw std::runtime_error with the name of what is not installed.
Command nginx();
/// Plain and TLS 1.3 differ in this only: the second file of the pair is the key.
Command nginx_tls(const std::string& certificate, const std::string& key);
Command cpp_httplib();
Command fastify();
Command fastapi();
Command npm_ws();

}  // namespace bench::rivals
