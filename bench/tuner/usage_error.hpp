// UsageError: what the user asked for cannot be done; one line that says why. Exit status 2.
#pragma once

#include <stdexcept>

namespace tuner {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tuner
