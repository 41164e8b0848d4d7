// Opening files that lie beneath a directory, whatever symbolic links lie on the way.
#pragma once

#include <cstdint>
#include <string>

#include "http/listener.hpp"

namespace aiserve::inline v0::http::detail {

// Invalid, with errno, if there is none. Never blocks on a FIFO.
Descriptor open_directory(const std::string& path) noexcept;

enum class Resolve : std::uint8_t {
  kernel,  // openat2: links are followed as long as they stay beneath the directory
  walk     // component by component, following no link: for kernels and sandboxes without it
};

// Reads `path` beneath `directory`; an empty path is the directory itself. Invalid, with errno, if
// it isn't there or leads out. `path` must be relative; "." and ".." lead nowhere.
Descriptor open_beneath(const Descriptor& directory, const std::string& path,
                        Resolve resolve = Resolve::kernel) noexcept;

}  // namespace aiserve::inline v0::http::detail
