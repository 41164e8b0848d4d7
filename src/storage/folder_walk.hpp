// FolderWalk: the names of the files in a folder that have a given length, in order, part by part.
// A folder of a million files is walked for every some ten thousand of them, not for every page,
// and holds no more names than that in memory. *Thread safety:* any thread.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "aiserve/core/result.hpp"

namespace aiserve::inline v0::detail {

class FolderWalk {
 public:
  struct Part {
    std::vector<std::string> names{};
    bool last = true;  ///< no name follows
  };

  /// Some 100 bytes of memory each.
  static constexpr std::size_t kNames = 32'000;

  FolderWalk(std::string folder, std::size_t length_of_names, std::size_t most = kNames)
      : folder_(std::move(folder)), length_(length_of_names), most_(most) {}

  /// The names that follow a token, or the first ones after none. Errors: overloaded, unavailable.
  Result<Part> after(const std::string& token);
  /// The token of what follows the first `seen` names of a part, of which there was one at least;
  /// empty at the end. Keeps the others for after(), in place of what it kept.
  std::string keep(Part part, std::size_t seen);

 private:
  bool take_kept(const std::string& token, Part& part);
  Result<Part> walk(const std::string& last) const;

  const std::string folder_;
  const std::size_t length_;
  const std::size_t most_;
  std::mutex mutex_;
  std::string kept_for_;  // a token
  Part kept_;
};

}  // namespace aiserve::inline v0::detail
