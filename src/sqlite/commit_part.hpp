// CommitPart: what the writes of a group gather, to be written once before their COMMIT.
#pragma once

#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

class CommitPart {
 public:
  virtual ~CommitPart() = default;
  virtual void write(Connection& connection) = 0;
  /// The transaction has ended, one way or the other.
  virtual void forget() noexcept = 0;
};

}  // namespace aiserve::inline v0::detail
