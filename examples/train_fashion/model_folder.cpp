#include "model_folder.hpp"

#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <memory>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

namespace fashion {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

[[noreturn]] void throw_errno(const fs::path& file) {
  throw std::system_error(errno, std::generic_category(), file.string());
}

/// A rename survives a power cut only when the bytes were on disk before it.
void sync(const fs::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) throw_errno(file);
  ::close(fd);
}

void replace(const fs::path& from, const fs::path& to) {
  sync(from);
  fs::rename(from, to);
}

Json training_json(const Recipe& recipe) {
  return {{"epochs", recipe.epochs}, {"seed", recipe.seed}, {"batch_size", recipe.batch_size}};
}

Json tensor_json(const char* name, Json shape) {
  return {{"name", name}, {"dtype", "float32"}, {"shape", std::move(shape)}};
}

/// -1 is the batch: any number of rows.
Json side_car_json(const TrainingRecord& record, const std::string& sha256) {
  Json json;
  json["name"] = "fashion";
  json["version"] = "1";
  json["inputs"] = Json::array({tensor_json("image", {-1, 1, kSide, kSide})});
  json["outputs"] = Json::array({tensor_json("probabilities", {-1, kClasses})});
  json["sha256"] = sha256;
  json["labels"] = kLabels;
  json["metrics"] = {{"accuracy", record.accuracy()},
                     {"held_out", record.held_out},
                     {"trained_images", record.trained_images},
                     {"train_seconds", std::round(record.seconds * 10) / 10}};
  json["training"] = training_json(record.recipe);
  json["sample"] = {{"input_file", nullptr}};
  return json;
}

}  // namespace

ModelFolder::ModelFolder(fs::path path) : path_(std::move(path)) {
  fs::create_directories(path_);
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) throw_errno(path_);
  while (::flock(lock_, LOCK_EX) != 0)
    if (errno != EINTR) throw_errno(path_);
  if (::access(path_.c_str(), W_OK) != 0) throw_errno(path_);
}

ModelFolder::~ModelFolder() {
  std::error_code ignored;
  fs::remove(unfinished_model(), ignored);
  ::close(lock_);
}

bool ModelFolder::holds(const Recipe& recipe, std::size_t trained_images) const {
  std::ifstream in(side_car());
  if (!in || !fs::exists(model())) return false;
  const Json json = Json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return false;
  const Json metrics = json.value("metrics", Json());
  return metrics.is_object() && metrics.value("trained_images", Json()) == trained_images &&
         json.value("training", Json()) == training_json(recipe) &&
         json.value("sha256", Json()) == sha256_of(model());
}

void ModelFolder::commit(const TrainingRecord& record) {
  const fs::path partial = side_car().concat(".partial");
  std::ofstream out(partial);
  out << side_car_json(record, sha256_of(unfinished_model())).dump(2) << '\n';
  out.close();
  if (!out) throw_errno(partial);
  replace(unfinished_model(), model());
  replace(partial, side_car());
  sync(path_);
}

std::string sha256_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw_errno(file);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(),
                                                                       &EVP_MD_CTX_free);
  bool ok = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
  std::array<char, 65536> block{};
  while (ok && (in.read(block.data(), block.size()), in.gcount() > 0))
    ok = EVP_DigestUpdate(digest.get(), block.data(), static_cast<std::size_t>(in.gcount())) == 1;
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  ok = ok && EVP_DigestFinal_ex(digest.get(), bytes.data(), &size) == 1;
  if (!ok || in.bad()) throw std::runtime_error(file.string() + ": no checksum could be made");

  std::string hex;
  for (unsigned i = 0; i < size; ++i)
    for (const int shift : {4, 0}) hex += "0123456789abcdef"[bytes[i] >> shift & 0xf];
  return hex;
}

}  // namespace fashion
