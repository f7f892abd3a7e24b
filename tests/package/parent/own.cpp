#include <bitlaw/plan.h>

#if __has_include("plan/plan.h") || __has_include("base/file.h")
#error "the parent project sees headers of bitlaw that are not public"
#endif

int main() {
  return bitlaw::find_law("kumar") == nullptr;
}
