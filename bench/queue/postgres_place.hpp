// A PostgreSQL server of the benchmark's own.
#pragma once

#include "harness/process.hpp"
#include "queue/subject.hpp"

namespace bench {

OpenStore in_database(const std::string& name);
OpenStore in_new_database();
/// For programs that use libpq's variables.
Environment environment_of_new_database();

}  // namespace bench
