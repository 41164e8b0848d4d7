#include "storage/folder_walk.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include "aiserve/core/id.hpp"
#include "storage/first_names.hpp"
#include "storage/object_file.hpp"

namespace aiserve::inline v0::detail {

Result<FolderWalk::Part> FolderWalk::after(const std::string& token) {
  Part part;
  if (take_kept(token, part)) return part;
  return walk(token.substr(0, length_));
}

bool FolderWalk::take_kept(const std::string& token, Part& part) {
  const std::scoped_lock lock(mutex_);
  if (token.empty() || token != kept_for_) return false;
  kept_for_.clear();
  part = std::exchange(kept_, {});
  return true;
}

Result<FolderWalk::Part> FolderWalk::walk(const std::string& last) const {
  FirstNames names(last, most_ + 1);
  std::error_code error;
  std::filesystem::directory_iterator entry(folder_, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() == length_) names.see(name);
  }
  if (error) return file_error("list", error.value());
  Part part{.names = std::move(names).in_order()};
  part.last = part.names.size() <= most_;
  if (!part.last) part.names.pop_back();
  return part;
}

// A token is good for the names of its own walk only: those of another may lack newer files.
std::string FolderWalk::keep(Part part, std::size_t seen) {
  const auto rest = part.names.begin() + static_cast<std::ptrdiff_t>(seen);
  if (rest == part.names.end()) return part.last ? "" : part.names.back();
  std::string token = *std::prev(rest) + make_id();
  part.names.erase(part.names.begin(), rest);
  const std::scoped_lock lock(mutex_);
  kept_for_ = token;
  kept_ = std::move(part);
  return token;
}

}  // namespace aiserve::inline v0::detail
