#include "shelter.hpp"

#include <algorithm>
#include <utility>

using aiserve::Errc;
using aiserve::Error;
using aiserve::Result;

namespace {

constexpr std::size_t kPlaces = 10'000;

Error no_such_pet() { return {Errc::not_found, "there is no such pet"}; }

}  // namespace

Result<Pet> Shelter::add(NewPet fresh) {
  const std::lock_guard lock(mutex_);
  if (pets_.size() >= kPlaces) return Error(Errc::too_large, "the shelter is full");
  Pet pet;
  static_cast<NewPet&>(pet) = std::move(fresh);
  pet.id = ++last_id_;
  return pets_[pet.id] = std::move(pet);
}

Result<Pet> Shelter::get(std::int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto at = pets_.find(id);
  if (at == pets_.end()) return no_such_pet();
  return at->second;
}

Result<void> Shelter::remove(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  if (pets_.erase(id) == 0) return no_such_pet();
  return aiserve::success();
}

std::vector<Pet> Shelter::list(const ListPets& wanted) const {
  const std::lock_guard lock(mutex_);
  std::vector<Pet> found;
  for (const auto& [id, pet] : pets_) {
    if (found.size() == static_cast<std::size_t>(wanted.limit)) break;
    const auto& tags = pet.tags;
    if (wanted.tag && std::find(tags.begin(), tags.end(), *wanted.tag) == tags.end()) continue;
    found.push_back(pet);
  }
  return found;
}
