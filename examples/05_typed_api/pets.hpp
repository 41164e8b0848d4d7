// What the API speaks of: pets, as they come in and go out.
#pragma once

#include <aiserve/http/description.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

enum class Size { small, medium, large };
inline void describe(aiserve::http::Description<Size>& d) {
  d.value("small", Size::small).value("medium", Size::medium).value("large", Size::large);
}

struct Cat {
  int lives = 9;
};
inline void describe(aiserve::http::Description<Cat>& d) {
  d.optional("lives", &Cat::lives, {.minimum = 1, .maximum = 9});
}
struct Dog {
  std::string trick;
};
inline void describe(aiserve::http::Description<Dog>& d) {
  d.required("trick", &Dog::trick, {.max_length = 40, .about = "what it does for a biscuit"});
}
using Species = std::variant<Cat, Dog>;
inline void describe(aiserve::http::Description<Species>& d) {
  d.name("Species").tag("kind").alternative<Cat>("cat").alternative<Dog>("dog");
}

struct NewPet {
  std::string name;
  Species species;
  Size size = Size::medium;
  std::optional<double> weight;
  std::vector<std::string> tags;
};
inline void describe(aiserve::http::Description<NewPet>& d) {
  d.about("A pet that has no number yet.")
      .required("name", &NewPet::name,
                {.min_length = 1, .max_length = 40, .about = "how it is called"})
      .required("species", &NewPet::species)
      .optional("size", &NewPet::size)
      .optional("weight", &NewPet::weight, {.above = 0, .below = 500, .about = "in kg"})
      .optional("tags", &NewPet::tags,
                {.max_items = 5, .items = {.max_length = 20, .pattern = "^[a-z]+$"}});
}

struct Pet : NewPet {
  std::int64_t id = 0;
};
inline void describe(aiserve::http::Description<Pet>& d) {
  d.required("id", &Pet::id)
      .required("name", &Pet::name)
      .required("species", &Pet::species)
      .required("size", &Pet::size)
      .optional("weight", &Pet::weight)
      .required("tags", &Pet::tags);
}

struct PetId {
  std::int64_t id = 0;
};
inline void describe(aiserve::http::Description<PetId>& d) {
  d.path("id", &PetId::id, {.minimum = 1});
}

struct ListPets {
  std::optional<std::string> tag;
  int limit = 20;
};
inline void describe(aiserve::http::Description<ListPets>& d) {
  d.query("tag", &ListPets::tag, {.about = "only those that have it"})
      .query("limit", &ListPets::limit, {.minimum = 1, .maximum = 100});
}
