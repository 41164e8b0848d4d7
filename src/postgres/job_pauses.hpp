// JobPauses: the kinds that operators paused.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "postgres/values.hpp"

namespace aiserve::inline v0::pg {

class JobPauses {
 public:
  /// What kPauses answered.
  explicit JobPauses(const Rows& rows) {
    for (int i = 0; i < rows.size(); ++i) {
      if (rows.text(i, 0).empty()) {
        all_ = true;
      } else {
        kinds_.insert(rows.string(i, 0));
      }
    }
  }

  bool all() const noexcept { return all_; }
  /// One by one.
  const std::set<std::string, std::less<>>& kinds() const noexcept { return kinds_; }
  bool hold(std::string_view kind) const { return all_ || kinds_.contains(kind); }

 private:
  bool all_ = false;
  std::set<std::string, std::less<>> kinds_;
};

}  // namespace aiserve::inline v0::pg
