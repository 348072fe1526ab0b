"""Asks one LibreOffice about many files: libreoffice.py PIPE, then a line of standard input for each question:
"verify FILE" prints "valid=BOOL status=NUMBER line=GUID subject=NAME" for each signature of an Office document, in order;
"sign FILE" adds a signature to a PDF, by the one key of the database;
"convert FILE TO FILTER PASSWORD" opens the file as a person would and writes it in the format of a filter, encrypted or, without
PASSWORD, not.
An answer ends with "." or, where there is none, "! reason"."""
import os
import sys
import time

import uno
import unohelper
from com.sun.star.beans import NamedValue, PropertyValue
from com.sun.star.connection import NoConnectException


def connect(pipe):
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(600):
        try:
            return resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % pipe)
        except NoConnectException:
            time.sleep(0.1)
    sys.exit("LibreOffice did not start")


def url(path):
    return unohelper.systemPathToFileUrl(os.path.abspath(path))


def new(name, *args):
    if args:
        return office.ServiceManager.createInstanceWithArgumentsAndContext(name, args, office)
    return office.ServiceManager.createInstanceWithContext(name, office)


def verify(path):
    stream = new("com.sun.star.ucb.SimpleFileAccess").openFileRead(url(path))
    # As a zip file: opened as an Office package, its content types are hidden, and with them the signatures.
    options = uno.Any("[]com.sun.star.beans.PropertyValue", (PropertyValue(Name="StorageFormat", Value="ZipFormat"),))
    factory = new("com.sun.star.embed.StorageFactory")
    storage = uno.invoke(factory, "createInstanceWithArguments", ((stream, 1, options),))
    checker = new("com.sun.star.security.DocumentDigitalSignatures", "1.2")
    for s in checker.verifyDocumentContentSignatures(storage, None):
        print("valid=%s status=%d line=%s subject=%s" % (
            s.SignatureIsValid, s.CertificateStatus, s.SignatureLineId, s.Signer.SubjectName if s.Signer else ""))


def security():
    return new("com.sun.star.xml.crypto.SEInitializer").createSecurityContext("").getSecurityEnvironment()


def sign(path):
    keys = security().getPersonalCertificates()
    stream = new("com.sun.star.ucb.SimpleFileAccess").openFileReadWrite(url(path))
    if not new("com.sun.star.security.DocumentDigitalSignatures", "1.2").signDocumentWithCertificate(keys[0], None, stream):
        raise ValueError("it was not signed")
    stream.getOutputStream().closeOutput()


def convert(path, to, kind, password=""):
    desktop = new("com.sun.star.frame.Desktop")
    options = [PropertyValue(Name="Hidden", Value=True)]
    if path.endswith(".html"):
        options.append(PropertyValue(Name="FilterName", Value="HTML (StarWriter)"))
    doc = desktop.loadComponentFromURL(url(path), "_blank", 0, tuple(options))
    how = [PropertyValue(Name="FilterName", Value=kind)]
    if password and kind.startswith("MS Word 2007"):
        key = (NamedValue("CryptoType", "Standard"), NamedValue("OOXPassword", password))
        how.append(PropertyValue(Name="EncryptionData", Value=uno.Any("[]com.sun.star.beans.NamedValue", key)))
    elif password:
        how.append(PropertyValue(Name="Password", Value=password))
    doc.storeToURL(url(to), tuple(how))
    doc.close(True)


office = connect(sys.argv[1])
security()  # opens the database of keys: once another part of the program has begun without one, it stays without
for question in sys.stdin:
    verb, *args = question.rstrip("\n").split("\t")
    try:
        {"verify": verify, "sign": sign, "convert": convert}[verb](*args)
        print(".", flush=True)
    except Exception as e:
        print("!", type(e).__name__, str(e).replace("\n", " ")[:200], flush=True)
os._exit(0)  # the bridge to Python crashes in its own shutdown
