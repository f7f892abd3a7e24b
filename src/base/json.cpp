#include "base/json.h"

#include <fmt/format.h>

#include <charconv>
#include <ostream>

namespace bitlaw {
namespace {

constexpr const char* kNames[] = {"null",     "a boolean", "a number", "a number",
                                  "a number", "text",      "an array", "an object"};

template <class Array>
auto& element_at(Array& elements, size_t index) {
  if (index < elements.size()) return elements[index];
  throw Json::out_of_range(
      fmt::format("JSON: element {} is outside an array of {}", index, elements.size()));
}

template <class Object>
auto& member_at(Object& members, std::string_view key) {
  const auto found = members.find(key);
  if (found != members.end()) return found->second;
  throw Json::out_of_range(fmt::format("JSON: the member '{}' is missing", key));
}

bool is_pair_with_key(const json_detail::Element& element) {
  const Json& pair = element.value;
  return pair.is_array() && pair.size() == 2 && pair[0].is_string();
}

}  // namespace

Json::Json(const char* text) : Json(std::string(text)) {}
Json::Json(std::string_view text) : Json(std::string(text)) {}
Json::Json(std::string text) : kind_(Kind::kString) {
  value_.text = new std::string(std::move(text));
}

Json::Json(InitializerList list) {
  bool all_pairs = true;
  for (const auto& element : list) all_pairs = all_pairs && is_pair_with_key(element);
  *this = all_pairs ? object(list) : array(list);
}

Json Json::array() {
  Json out;
  out.value_.array = new Array;
  out.kind_ = Kind::kArray;
  return out;
}

Json Json::object() {
  Json out;
  out.value_.object = new Object;
  out.kind_ = Kind::kObject;
  return out;
}

Json Json::array(InitializerList list) {
  Json out = array();
  out.value_.array->reserve(list.size());
  for (const auto& element : list) out.value_.array->push_back(std::move(element.value));
  return out;
}

Json Json::object(InitializerList list) {
  Json out = object();
  for (const auto& element : list) {
    if (!is_pair_with_key(element)) throw exception("JSON: an object is made of keys and values");
    Array& pair = *element.value.value_.array;
    out.value_.object->emplace(std::move(*pair[0].value_.text), std::move(pair[1]));
  }
  return out;
}

Json::Json(const Json& other) : kind_(other.kind_), value_(other.value_) {
  switch (kind_) {
    case Kind::kString:
      value_.text = new std::string(*other.value_.text);
      break;
    case Kind::kArray:
      value_.array = new Array(*other.value_.array);
      break;
    case Kind::kObject:
      value_.object = new Object(*other.value_.object);
      break;
    default:
      break;
  }
}

void Json::destroy() {
  if (kind_ == Kind::kString) delete value_.text;
  if (kind_ == Kind::kArray) delete value_.array;
  if (kind_ == Kind::kObject) delete value_.object;
}

void Json::wrong_type(const char* wanted) const {
  throw exception(fmt::format("JSON: expected {}, found {}", wanted, kNames[int(kind_)]));
}

bool Json::boolean() const {
  if (kind_ != Kind::kBoolean) wrong_type("true or false");
  return value_.boolean;
}

int64_t Json::whole_number() const {
  if (kind_ == Kind::kBoolean) return value_.boolean;
  if (kind_ != Kind::kInteger) wrong_type("a number");
  return value_.integer;
}

double Json::number() const {
  if (kind_ == Kind::kInteger) return static_cast<double>(value_.integer);
  if (kind_ == Kind::kUnsigned) return static_cast<double>(value_.whole);
  if (kind_ != Kind::kFloat) wrong_type("a number");
  return value_.number;
}

const std::string& Json::text() const {
  if (kind_ != Kind::kString) wrong_type("text");
  return *value_.text;
}

const Json::Array& Json::elements() const {
  if (kind_ != Kind::kArray) wrong_type("an array");
  return *value_.array;
}

const Json::Object& Json::members() const {
  if (kind_ != Kind::kObject) wrong_type("an object");
  return *value_.object;
}

Json::Array& Json::elements() {
  return const_cast<Array&>(std::as_const(*this).elements());
}

Json::Object& Json::members() {
  return const_cast<Object&>(std::as_const(*this).members());
}

Json::Array& Json::make_elements() {
  if (is_null()) *this = array();
  return elements();
}

Json::Object& Json::make_members() {
  if (is_null()) *this = object();
  return members();
}

size_t Json::size() const {
  switch (kind_) {
    case Kind::kNull:
      return 0;
    case Kind::kArray:
      return value_.array->size();
    case Kind::kObject:
      return value_.object->size();
    default:
      return 1;
  }
}

Json& Json::element(size_t index) {
  Array& array = make_elements();
  if (index >= array.size()) array.resize(index + 1);
  return array[index];
}

Json& Json::at(size_t index) {
  return element_at(elements(), index);
}

const Json& Json::at(size_t index) const {
  return element_at(elements(), index);
}

void Json::push_back(Json value) {
  make_elements().push_back(std::move(value));
}

Json& Json::member(std::string_view key) {
  Object& object = make_members();
  const auto found = object.lower_bound(key);
  if (found != object.end() && found->first == key) return found->second;
  return object.emplace_hint(found, std::string(key), Json())->second;
}

Json& Json::at(std::string_view key) {
  return member_at(members(), key);
}

const Json& Json::at(std::string_view key) const {
  return member_at(members(), key);
}

bool Json::contains(std::string_view key) const {
  return is_object() && value_.object->find(key) != value_.object->end();
}

Json::iterator Json::find(std::string_view key) {
  return is_object() ? iterator(value_.object->find(key)) : end();
}

Json::const_iterator Json::find(std::string_view key) const {
  return is_object() ? const_iterator(std::as_const(*value_.object).find(key)) : end();
}

bool Json::emplace(std::string_view key, Json value) {
  return make_members().emplace(std::string(key), std::move(value)).second;
}

void Json::update(const Json& other) {
  Object& object = make_members();
  for (const auto& [key, value] : other.members()) object.insert_or_assign(key, value);
}

size_t Json::erase(std::string_view key) {
  Object& object = members();
  const auto found = object.find(key);
  if (found == object.end()) return 0;
  object.erase(found);
  return 1;
}

Json::iterator Json::erase(iterator place) {
  if (place.of_object_) return iterator(members().erase(place.member_));
  Array& array = elements();
  const ptrdiff_t index = place.element_ - array.data();
  array.erase(array.begin() + index);
  return iterator(array.data() + index);
}

void Json::erase(size_t index) {
  element_at(elements(), index);
  value_.array->erase(value_.array->begin() + static_cast<ptrdiff_t>(index));
}

void Json::clear() {
  *this = is_array() ? array() : object();
}

Json& Json::front() {
  return *begin();
}
const Json& Json::front() const {
  return *begin();
}
Json& Json::back() {
  return *--end();
}
const Json& Json::back() const {
  return *--end();
}

Json::iterator Json::begin() {
  if (is_object()) return iterator(value_.object->begin());
  return iterator(is_array() ? value_.array->data() : this);
}

Json::iterator Json::end() {
  if (is_object()) return iterator(value_.object->end());
  return iterator(is_array() ? value_.array->data() + value_.array->size() : this + size());
}

Json::const_iterator Json::begin() const {
  return const_cast<Json*>(this)->begin();
}
Json::const_iterator Json::end() const {
  return const_cast<Json*>(this)->end();
}

const Json::Object& Json::items() const {
  static const Object none;
  return is_null() ? none : members();
}

bool operator==(const Json& a, const Json& b) {
  return (a <=> b) == std::partial_ordering::equivalent;
}

std::partial_ordering operator<=>(const Json& a, const Json& b) {
  using Kind = Json::Kind;
  const auto& [x, y] = std::pair(a.value_, b.value_);
  if (a.is_number() && b.is_number()) {
    if (a.is_number_float() || b.is_number_float()) return a.number() <=> b.number();
    return a.kind_ == Kind::kUnsigned && b.kind_ == Kind::kUnsigned ? x.whole <=> y.whole
                                                                    : x.integer <=> y.integer;
  }
  if (a.kind_ != b.kind_) return a.kind_ <=> b.kind_;
  switch (a.kind_) {
    case Kind::kBoolean:
      return x.boolean <=> y.boolean;
    case Kind::kString:
      return *x.text <=> *y.text;
    case Kind::kArray:
      return *x.array <=> *y.array;
    case Kind::kObject:
      return *x.object <=> *y.object;
    default:
      return std::partial_ordering::equivalent;
  }
}

std::ostream& operator<<(std::ostream& out, const Json& value) {
  return out << value.dump();
}

const Json* find_json_pointer(const Json& document, std::string_view path) {
  const Json* place = &document;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view key = path.substr(0, path.find('/'));
    path.remove_prefix(key.size());
    if (place->is_array()) {
      size_t index = 0;
      const auto read = std::from_chars(key.data(), key.data() + key.size(), index);
      if (read.ptr != key.data() + key.size() || index >= place->size()) return nullptr;
      place = &place->at(index);
    } else if (const auto found = place->find(key); found != place->end()) {
      place = &*found;
    } else {
      return nullptr;
    }
  }
  return place;
}

Json* find_json_pointer(Json& document, std::string_view path) {
  return const_cast<Json*>(find_json_pointer(std::as_const(document), path));
}

}  // namespace bitlaw
