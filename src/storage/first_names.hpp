// FirstNames: of many names that are seen in any order, those that come first after a given one:
// what a page of a list needs, in memory that does not grow with what is listed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0::detail {

class FirstNames {
 public:
  /// `most` is above 0.
  FirstNames(std::string after, std::size_t most) : after_(std::move(after)), most_(most) {}

  void see(std::string_view name) {
    if (name <= after_) return;
    if (names_.size() == most_) {
      if (name >= names_.front()) return;
      std::pop_heap(names_.begin(), names_.end());
      names_.pop_back();
    }
    names_.emplace_back(name);
    std::push_heap(names_.begin(), names_.end());
  }

  std::vector<std::string> in_order() && {
    std::sort_heap(names_.begin(), names_.end());
    return std::move(names_);
  }

 private:
  std::string after_;
  std::size_t most_;
  std::vector<std::string> names_;  // a heap, the last of them in front
};

}  // namespace aiserve::inline v0::detail
