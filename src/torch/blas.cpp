#include "torch/blas.hpp"

#include <cstdlib>
#include <memory>
#include <string_view>

#include <dlfcn.h>

namespace aiserve::inline v0::detail {
namespace {

template <class Function>
Function* symbol(const char* name) noexcept {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

std::string real_path(const char* path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path, nullptr), &std::free);
  return resolved == nullptr ? path : resolved.get();
}

std::string library_of(const char* function) {
  void* address = ::dlsym(RTLD_DEFAULT, function);
  Dl_info info{};
  if (address == nullptr || ::dladdr(address, &info) == 0 || info.dli_fname == nullptr) return {};
  return real_path(info.dli_fname);
}

// openblas_get_config() begins with "OpenBLAS 0.3.21 " and goes on with its build options.
std::string openblas_name() {
  std::string name = "OpenBLAS";
  if (auto* config = symbol<char*()>("openblas_get_config"); config != nullptr) {
    const std::string_view text = config();
    name = text.substr(0, text.find(' ', text.find(' ') + 1));
  }
  if (auto* core = symbol<char*()>("openblas_get_corename"); core != nullptr) {
    name += std::string(" (") + core() + ")";
  }
  return name;
}

std::string name_of(std::string_view library) {
  const auto has = [library](std::string_view word) {
    return library.find(word) != std::string_view::npos;
  };
  if (library.empty()) return "built into libtorch";
  if (has("openblas")) return openblas_name();
  if (has("blis")) return "BLIS";
  if (has("mkl")) return "MKL";
  if (has("atlas")) return "ATLAS";
  if (has("libtorch")) return "built into libtorch";
  if (has("/blas/libblas") || has("libblas.so.3.")) return "netlib reference BLAS";
  return std::string(library.substr(library.rfind('/') + 1));
}

}  // namespace

BlasInfo find_blas() {
  BlasInfo blas;
  blas.library = library_of("sgemm_");
  blas.name = name_of(blas.library);
  return blas;
}

void set_blas_threads(int threads) noexcept {
  if (auto* set = symbol<void(int)>("openblas_set_num_threads"); set != nullptr) set(threads);
}

}  // namespace aiserve::inline v0::detail
