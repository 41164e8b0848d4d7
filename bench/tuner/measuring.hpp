// What run and sweep share: a target for a setting, one load sent to it, what to tell about the
// machine.
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "tuner/arguments.hpp"
#include "tuner/target.hpp"

namespace tuner {

/// A measurement that says nothing: the offered rate was not reached, or requests failed.
class MeasureError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One load of the command line: so many in flight, or so many per second (the sum of a mix).
struct Load {
  int in_flight = 0;  // closed loop
  double per_second = 0;

  std::string name() const;
};

std::unique_ptr<Target> make_target(const Arguments& arguments, const Setting& setting);

/// Throws MeasureError, naming the load.
LoadResult measure(Target& target, const Arguments& arguments, const Load& load, int repeat);
/// The same for an open loop that nobody asked for in these words: Poisson unless --open says else.
double seconds_of(const Arguments& arguments);  // per load and repeat

/// Machine, date, command line, loads.
std::map<std::string, std::string> about(const Arguments& arguments,
                                         const std::string& command_line);

}  // namespace tuner
