/// The folder that a training writes: fashion.pt and, beside it, fashion.json.
///
/// Both appear whole or not at all, the side-car last: it holds the model's SHA-256, so that a pair
/// that does not belong together is noticed. Only one process at a time works on a folder; others
/// wait in the constructor.
/// *Errors:* std::system_error or std::runtime_error with one line that names the file.
/// *Thread safety:* one thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "trainer.hpp"

namespace fashion {

/// What a training used and what came of it.
struct TrainingRecord {
  Recipe recipe;
  std::size_t trained_images = 0;
  std::size_t held_out = 0;
  std::size_t correct = 0;  ///< of the held-out images
  double seconds = 0;       ///< wall time

  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(held_out); }
};

class ModelFolder {
 public:
  /// Makes the folder if need be and waits until no other process works on it.
  explicit ModelFolder(std::filesystem::path path);
  ModelFolder(const ModelFolder&) = delete;
  ModelFolder& operator=(const ModelFolder&) = delete;
  /// Removes an unfinished model and lets the next process in.
  ~ModelFolder();

  std::filesystem::path model() const { return path_ / "fashion.pt"; }
  std::filesystem::path side_car() const { return path_ / "fashion.json"; }
  /// Where a training writes its model before commit().
  std::filesystem::path unfinished_model() const { return path_ / "fashion.pt.partial"; }

  /// Whether both files are there, belong together, and come from this recipe.
  bool holds(const Recipe& recipe, std::size_t trained_images) const;
  /// Puts the unfinished model and its side-car in place.
  void commit(const TrainingRecord& record);

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

/// Lower-case hexadecimal SHA-256 of a file's bytes.
std::string sha256_of(const std::filesystem::path& file);

}  // namespace fashion
