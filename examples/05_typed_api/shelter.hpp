// Where the pets are kept: in memory.
#pragma once

#include <aiserve/core/result.hpp>

#include <map>
#include <mutex>
#include <vector>

#include "pets.hpp"

class Shelter {
 public:
  /// too_large when it is full.
  aiserve::Result<Pet> add(NewPet fresh);
  aiserve::Result<Pet> get(std::int64_t id) const;
  aiserve::Result<void> remove(std::int64_t id);
  std::vector<Pet> list(const ListPets& wanted) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, Pet> pets_;
  std::int64_t last_id_ = 0;
};
