// Passkeys: asks the platform for a challenge, the browser for an answer, and sends that with the form.
"use strict";

(() => {
  const { PublicKeyCredential } = window;
  const isAddress = /^[0-9.]+$|^\[/.test(location.hostname); // WebAuthn wants a name
  const isThere = !isAddress && PublicKeyCredential && PublicKeyCredential.parseCreationOptionsFromJSON && PublicKeyCredential.parseRequestOptionsFromJSON;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!isThere) continue;
    const button = form.querySelector("button");
    const failed = form.querySelector("[data-passkey-failed]");
    form.querySelector("[data-passkey-missing]").hidden = true;
    button.disabled = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const label = form.elements.label;
      if (label && !label.value.trim()) {
        form.submit(); // the page says what is missing
        return;
      }
      failed.hidden = true;
      button.disabled = true;
      try {
        const answer = await fetch(form.dataset.options, { method: "POST", headers: { "X-CSRF-Token": form.elements.csrf.value, Accept: "application/json" } });
        if (!answer.ok) {
          form.submit(); // the page says what is wrong
          return;
        }
        const options = (await answer.json()).public_key;
        const credential = form.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
        form.elements.credential.value = JSON.stringify(credential.toJSON());
        form.submit();
      } catch {
        failed.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
