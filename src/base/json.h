// JSON documents. Keys are sorted, so that equal documents print equal bytes (and hash equally).
//
// This class replaces nlohmann::json, which every file that touched JSON had to instantiate and
// optimize again: 4 of 5 seconds of such a file, in 170 files (docs/decisions/0010). The member
// functions are the ones of nlohmann::json that are used; nlohmann reads and prints numbers and
// texts, only in base/json_text.cpp.
#pragma once

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace bitlaw {

class Json;

namespace json_detail {

template <class T>
concept Text = std::is_convertible_v<const T&, std::string_view>;
template <class T>
concept Number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
template <class T>
concept Dictionary = requires {
  typename T::mapped_type;
};
template <class T>
concept List = !Text<T> && !Dictionary<T> && !std::is_same_v<T, Json> && requires(const T& t) {
  t.begin() != t.end();
  t.size();
};

template <class T>
concept Gettable =
    (std::is_arithmetic_v<T> && !std::is_same_v<T, char>) || std::is_same_v<T, std::string> ||
    ((Dictionary<T> || List<T>)&&requires(T & t) { t.clear(); });

template <bool kConst>
class Iterator;
struct Element;

}  // namespace json_detail

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;
  using iterator = json_detail::Iterator<false>;
  using const_iterator = json_detail::Iterator<true>;
  using InitializerList = std::initializer_list<json_detail::Element>;

  struct exception : std::runtime_error {  // a value of the wrong type, or a missing member
    using runtime_error::runtime_error;
  };
  struct parse_error : exception {
    parse_error(const std::string& message, size_t byte) : exception(message), byte(byte) {}
    size_t byte;  // of the text, counted from 1
  };
  struct out_of_range : exception {  // also for a number that is too large for a double
    using exception::exception;
  };

  // From bool, numbers, text, and lists and maps of anything a Json can be made from.
  Json(std::nullptr_t = nullptr) noexcept {}
  template <std::same_as<bool> T>
  Json(T value) noexcept : kind_(Kind::kBoolean) {
    value_.boolean = value;
  }
  template <json_detail::Number T>
  Json(T value) noexcept {
    if constexpr (std::is_floating_point_v<T>) {
      kind_ = Kind::kFloat;
      value_.number = value;
    } else if constexpr (std::is_signed_v<T>) {
      kind_ = Kind::kInteger;
      value_.integer = value;
    } else {
      kind_ = Kind::kUnsigned;
      value_.whole = value;
    }
  }
  Json(const char* text);
  Json(std::string text);
  Json(std::string_view text);
  template <json_detail::List T>
  Json(const T& list);
  template <json_detail::Dictionary T>
  Json(const T& dictionary);
  // {{"a", 1}, {"b", 2}} is an object, every other list an array.
  Json(InitializerList list);

  Json(const Json& other);
  Json(Json&& other) noexcept : kind_(other.kind_), value_(other.value_) {
    other.kind_ = Kind::kNull;
  }
  Json& operator=(Json other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(value_, other.value_);
    return *this;
  }
  ~Json() {
    if (kind_ >= Kind::kString) destroy();
  }

  static Json array();
  static Json array(InitializerList list);
  static Json object();
  static Json object(InitializerList list);

  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_boolean() const { return kind_ == Kind::kBoolean; }
  bool is_number_integer() const { return kind_ == Kind::kInteger || kind_ == Kind::kUnsigned; }
  // A whole number read without a sign, or from an unsigned type.
  bool is_number_unsigned() const { return kind_ == Kind::kUnsigned; }
  bool is_number_float() const { return kind_ == Kind::kFloat; }
  bool is_number() const { return is_number_integer() || is_number_float(); }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_array() const { return kind_ == Kind::kArray; }
  bool is_object() const { return kind_ == Kind::kObject; }
  bool is_structured() const { return is_array() || is_object(); }

  // bool, numbers, std::string, and lists and maps of them; exception if the value has another
  // type.
  template <class T>
  T get() const;
  template <json_detail::Gettable T>
  operator T() const {
    return get<T>();
  }
  template <std::same_as<const std::string&> T>
  T get_ref() const {
    return text();
  }
  const std::string& text() const;

  size_t size() const;  // elements of an array or object; 0 for null, 1 for other values
  bool empty() const { return size() == 0; }
  void clear();  // arrays and objects only

  // Arrays. Writing turns null into an array. Here and below, templates: a Json converts to numbers,
  // too, and a call that needs no conversion is never ambiguous with [] of a pointer.
  template <std::integral T>
  Json& operator[](T index) {  // past its end, the array grows by nulls
    return element(static_cast<size_t>(index));
  }
  template <std::integral T>
  const Json& operator[](T index) const {
    return at(static_cast<size_t>(index));
  }
  Json& at(size_t index);
  const Json& at(size_t index) const;
  void push_back(Json value);
  template <class... A>
  Json& emplace_back(A&&... a) {
    push_back(Json(std::forward<A>(a)...));
    return back();
  }

  // Objects. Writing turns null into an object.
  template <json_detail::Text T>
  Json& operator[](const T& key) {
    return member(key);
  }
  template <json_detail::Text T>
  const Json& operator[](const T& key) const {
    return at(key);
  }
  Json& at(std::string_view key);
  const Json& at(std::string_view key) const;
  bool contains(std::string_view key) const;  // false if this is not an object
  size_t count(std::string_view key) const { return contains(key); }
  iterator find(std::string_view key);
  const_iterator find(std::string_view key) const;
  template <class T>
  auto value(std::string_view key, const T& otherwise) const;
  bool emplace(std::string_view key, Json value);  // unless the key exists already
  void update(const Json& other);                  // takes all members of `other`
  size_t erase(std::string_view key);

  iterator erase(iterator place);
  void erase(size_t index);
  Json& front();
  const Json& front() const;
  Json& back();
  const Json& back() const;

  iterator begin();
  iterator end();
  const_iterator begin() const;
  const_iterator end() const;
  // for (const auto& [key, value] : object.items()); empty for null
  const Object& items() const;

  // Numbers are compared by value; other types are ordered as Kind declares them.
  friend bool operator==(const Json& a, const Json& b);
  friend std::partial_ordering operator<=>(const Json& a, const Json& b);
  template <class T>
  requires std::is_arithmetic_v<T>
  friend bool operator==(const Json& a, T b) { return a == Json(b); }
  template <class T>
  requires std::is_arithmetic_v<T>
  friend std::partial_ordering operator<=>(const Json& a, T b) { return a <=> Json(b); }
  friend std::ostream& operator<<(std::ostream& out, const Json& value);  // compact

  // Compact if `indent` is negative. Numbers have every digit a double needs to be read back
  // exactly; NaN and infinities become null, bytes that are not UTF-8 the replacement character.
  std::string dump(int indent = -1) const;
  // parse_error, or out_of_range for a number too large for a double.
  static Json parse(std::string_view text);

 private:
  enum class Kind : uint8_t {
    kNull,
    kBoolean,
    kInteger,
    kUnsigned,
    kFloat,
    kString,
    kArray,
    kObject,
  };
  union Value {
    bool boolean;
    int64_t integer;
    uint64_t whole;
    double number;
    std::string* text;
    Array* array;
    Object* object;
  };

  [[noreturn]] void wrong_type(const char* wanted) const;
  bool boolean() const;
  int64_t whole_number() const;  // of any number or bool
  double number() const;
  const Array& elements() const;
  const Object& members() const;
  Array& elements();
  Object& members();
  Array& make_elements();
  Object& make_members();
  Json& element(size_t index);
  Json& member(std::string_view key);
  void destroy();

  Kind kind_ = Kind::kNull;
  Value value_{};

  template <bool kConst>
  friend class json_detail::Iterator;
};

namespace json_detail {

// An element of a braced list, which can be moved out of it.
struct Element {
  mutable Json value;
  template <class T>
  requires std::is_convertible_v<T&&, Json> Element(T&& value) : value(std::forward<T>(value)) {}
  Element(Json::InitializerList list) : value(list) {}
};

template <bool kConst>
class Iterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = Json;
  using difference_type = std::ptrdiff_t;
  using reference = std::conditional_t<kConst, const Json&, Json&>;
  using pointer = std::conditional_t<kConst, const Json*, Json*>;
  using Member = std::conditional_t<kConst, Json::Object::const_iterator, Json::Object::iterator>;

  Iterator() = default;
  explicit Iterator(pointer element) : element_(element) {}
  explicit Iterator(Member member) : member_(member), of_object_(true) {}
  operator Iterator<true>() const requires(!kConst) {
    return of_object_ ? Iterator<true>(member_) : Iterator<true>(element_);
  }

  reference operator*() const { return of_object_ ? member_->second : *element_; }
  pointer operator->() const { return &**this; }
  const std::string& key() const { return member_->first; }  // of an object's member
  reference value() const { return **this; }
  Iterator& operator++() {
    of_object_ ? void(++member_) : void(++element_);
    return *this;
  }
  Iterator& operator--() {
    of_object_ ? void(--member_) : void(--element_);
    return *this;
  }
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) {
    return a.of_object_ ? a.member_ == b.member_ : a.element_ == b.element_;
  }

 private:
  friend Json;
  pointer element_ = nullptr;
  Member member_{};
  bool of_object_ = false;
};

}  // namespace json_detail

template <json_detail::List T>
Json::Json(const T& list) : Json(array()) {
  for (const auto& element : list) {
    if constexpr (std::is_same_v<typename T::value_type, bool>) {
      push_back(bool{element});
    } else {
      push_back(element);
    }
  }
}

template <json_detail::Dictionary T>
Json::Json(const T& dictionary) : Json(object()) {
  for (const auto& [key, value] : dictionary) emplace(key, value);
}

template <class T>
T Json::get() const {
  if constexpr (std::is_same_v<T, Json>) {
    return *this;
  } else if constexpr (std::is_same_v<T, bool>) {
    return boolean();
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(number());
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (kind_ == Kind::kUnsigned) return static_cast<T>(value_.whole);
    if (kind_ == Kind::kFloat) return static_cast<T>(value_.number);
    return static_cast<T>(whole_number());
  } else if constexpr (std::is_same_v<T, std::string>) {
    return text();
  } else if constexpr (json_detail::Dictionary<T>) {
    T out;
    for (const auto& [key, value] : members())
      out.emplace(key, value.template get<typename T::mapped_type>());
    return out;
  } else {
    T out;
    for (const Json& element : elements())
      out.insert(out.end(), element.get<typename T::value_type>());
    return out;
  }
}

template <class T>
auto Json::value(std::string_view key, const T& otherwise) const {
  using Value = std::conditional_t<json_detail::Text<T>, std::string, T>;
  if (!is_object()) wrong_type("an object");
  const const_iterator found = find(key);
  return found == end() ? Value(otherwise) : found->get<Value>();
}

// The value at "/a/0/b" below `document`, null if there is none.
const Json* find_json_pointer(const Json& document, std::string_view path);
Json* find_json_pointer(Json& document, std::string_view path);

// Parses `text`. Error, naming `where` (a path) and the line, if it is not valid JSON or too deep.
Json parse_json(const std::string& text, const std::string& where);

// Empty if `text` is not valid JSON.
std::optional<Json> try_parse_json(std::string_view text);

enum class JsonEvent { kObjectBegin, kObjectEnd, kArrayBegin, kArrayEnd, kKey };
// Called while a text is parsed: how many arrays and objects are open, and the key of kKey.
using JsonWatch = std::function<void(JsonEvent event, int depth, const std::string& key)>;
Json parse_json_watched(std::string_view text, const JsonWatch& watch);

// Compact, sorted, with every digit a double needs to be read back exactly; NaN and infinities
// become null.
std::string dump_json(const Json& document, int indent = -1);

}  // namespace bitlaw
