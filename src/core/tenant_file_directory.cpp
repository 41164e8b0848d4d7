#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <utility>

#include "aiserve/core/tenant_directory.hpp"
#include "core/tenant_table.hpp"

namespace aiserve::inline v0 {
namespace {

using detail::TenantTable;

std::string reason(int error) { return std::generic_category().message(error); }

Result<std::string> read_file(const std::string& path, std::size_t max_size) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) {
    return Error(Errc::unavailable, "the tenant file cannot be opened: " + reason(errno));
  }
  std::string text;
  std::array<char, 64 * 1024> chunk;
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get())) {
    text.append(chunk.data(), got);
    if (text.size() > max_size) return Error(Errc::too_large, "the tenant file is too large");
  }
  if (std::ferror(file.get()) != 0) {
    return Error(Errc::unavailable, "the tenant file cannot be read: " + reason(errno));
  }
  return text;
}

Result<TenantTable> load(const FileTenantDirectoryOptions& options) {
  const Result<std::string> text = read_file(options.path, options.max_size);
  Result<TenantTable> table = text ? detail::parse_tenant_file(*text) : text.error();
  if (!table) table = table.error().with_detail(options.path);
  return table;
}

}  // namespace

struct FileTenantDirectory::Impl {
  FileTenantDirectoryOptions options;
  TenantTable table;
  mutable std::shared_mutex mutex{};
  std::mutex reloading{};
};

FileTenantDirectory::FileTenantDirectory(FileTenantDirectoryOptions options) {
  Result<TenantTable> table = load(options);
  if (!table) throw ConfigError(options.path + ": " + table.error().message());
  impl_.reset(new Impl{std::move(options), std::move(*table)});
}

FileTenantDirectory::~FileTenantDirectory() = default;

Result<Tenant> FileTenantDirectory::find(const TenantId& id) const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->table.find(id);
}

Result<void> FileTenantDirectory::reload() {
  const std::scoped_lock one(impl_->reloading);  // the newest file wins
  Result<TenantTable> table = load(impl_->options);
  if (!table) return std::move(table).error();
  {
    const std::scoped_lock lock(impl_->mutex);
    std::swap(impl_->table, *table);
  }
  return success();  // the old table is destroyed outside of the lock
}

std::size_t FileTenantDirectory::size() const {
  const std::shared_lock lock(impl_->mutex);
  return impl_->table.tenants.size();
}

}  // namespace aiserve::inline v0
